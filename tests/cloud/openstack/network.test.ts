import { describe, expect, test } from "vitest";
import {
  addSecurityGroupRule,
  createSecurityGroup,
  deleteSecurityGroup,
  listNetworks,
  listSecurityGroups,
  type NewSecurityGroupRule,
  setSecurityGroupTags,
} from "../../../src/openstack/index.ts";
import { onExit, openFakeCloud, uniqueName } from "../../support/openstack.ts";

const signal = AbortSignal.timeout(300_000);
const options = { signal };

test("lists the lab's network", async () => {
  using cloud = await openFakeCloud("builder");
  const network = (await listNetworks(cloud, options)).find(({ name }) => name === "lab-net");
  expect(network).toMatchObject({ status: "ACTIVE", adminStateUp: true, isShared: true, isExternal: false });
  expect(network?.subnetIds).toHaveLength(1);
});

describe("security groups", () => {
  test("are created, found, tagged, given rules once, and deleted twice", async () => {
    using cloud = await openFakeCloud("builder");
    const name = uniqueName("group");
    const group = await createSecurityGroup(cloud, { name, description: "of a test" }, options);
    await using _gone = onExit((undo) => deleteSecurityGroup(cloud, group.id, undo));
    expect(group).toMatchObject({ name, description: "of a test", tags: [] });

    const ssh: NewSecurityGroupRule = {
      groupId: group.id,
      direction: "ingress",
      protocol: "tcp",
      portMin: 22,
      portMax: 22,
      remoteIpPrefix: "10.77.0.1/32",
      etherType: "IPv4",
      description: "ssh of the builder",
    };
    await addSecurityGroupRule(cloud, ssh, options);
    await expect(addSecurityGroupRule(cloud, ssh, options)).resolves.toBeUndefined();
    const ping: NewSecurityGroupRule = { ...ssh, protocol: "icmp", portMin: 0, portMax: 0 };
    await expect(addSecurityGroupRule(cloud, ping, options)).resolves.toBeUndefined();

    const tagged = await setSecurityGroupTags(cloud, group.id, ["one", "two"], options);
    const [found, ...more] = await listSecurityGroups(cloud, { name }, options);
    expect(more).toEqual([]);
    expect(found?.id).toBe(group.id);
    expect(found?.tags.toSorted()).toEqual(tagged ? ["one", "two"] : []);

    await deleteSecurityGroup(cloud, group.id, options);
    await expect(deleteSecurityGroup(cloud, group.id, options)).resolves.toBeUndefined();
    expect(await listSecurityGroups(cloud, { name }, options)).toEqual([]);
  });

  test("of other projects are not listed", async () => {
    using builder = await openFakeCloud("builder");
    using runner = await openFakeCloud("runner-a");
    const name = uniqueName("group");
    const group = await createSecurityGroup(builder, { name, description: "" }, options);
    await using _gone = onExit((undo) => deleteSecurityGroup(builder, group.id, undo));
    expect(await listSecurityGroups(runner, { name }, options)).toEqual([]);
    expect(await listSecurityGroups(builder, { name }, options)).toHaveLength(1);
  });

  test("a rule that makes no sense is refused with Neutron's reason", async () => {
    using cloud = await openFakeCloud("builder");
    const group = await createSecurityGroup(cloud, { name: uniqueName("group"), description: "" }, options);
    await using _gone = onExit((undo) => deleteSecurityGroup(cloud, group.id, undo));
    const backwards: NewSecurityGroupRule = {
      groupId: group.id,
      direction: "ingress",
      protocol: "tcp",
      portMin: 23,
      portMax: 22,
      remoteIpPrefix: null,
      etherType: "IPv4",
      description: "",
    };
    await expect(addSecurityGroupRule(cloud, backwards, options)).rejects.toThrow(
      /^cannot add a rule to security group .*(port|range).* \(HTTP 400 from network\)$/i,
    );
  });
});
