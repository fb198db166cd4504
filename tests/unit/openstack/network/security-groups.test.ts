import { expect, test } from "vitest";
import { createSecurityGroup, setSecurityGroupTags } from "../../../../src/openstack/index.ts";
import { json, openStub, reset, startStub } from "../../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const V2 = "/network/v2.0";

test("a group whose creation got no reply is found by name and description", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("POST", `${V2}/security-groups`, reset);
  const groups = [
    { id: "g1", name: "g", description: "another's" },
    { id: "g2", name: "g", description: "ours" },
  ];
  stub.answer("GET", `${V2}/security-groups`, json(200, { security_groups: groups }));
  const group = await createSecurityGroup(cloud, { name: "g", description: "ours" }, { signal });
  expect(group).toEqual({ id: "g2", name: "g", description: "ours", tags: [] });
});

test("tags are set only where Neutron has them", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("PUT", `${V2}/security-groups/g1/tags`, json(200, { tags: ["t"] }));
  stub.answer("GET", `${V2}/extensions`, json(200, { extensions: [{ alias: "router" }] }));
  expect(await setSecurityGroupTags(cloud, "g1", ["t"], { signal })).toBe(false);
  stub.answer("GET", `${V2}/extensions`, json(200, { extensions: [{ alias: "standard-attr-tag" }] }));
  expect(await setSecurityGroupTags(cloud, "g1", ["t"], { signal })).toBe(true);
  expect(stub.seen.map(({ method }) => method)).toEqual(["GET", "GET", "PUT"]);
});
