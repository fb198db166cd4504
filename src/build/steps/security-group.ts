/** The security group of the builder servers: SSH in, everything out. */
import {
  addSecurityGroupRule,
  createSecurityGroup,
  listSecurityGroups,
  type CallOptions,
  type Cloud,
} from "../../openstack/index.ts";
import { securityGroupName } from "../names.ts";
import type { Owner } from "../types.ts";

/** The id of `owner`'s security group; made, and given its rules, where something is missing. */
export async function ensureSecurityGroup(cloud: Cloud, owner: Owner, call: CallOptions): Promise<string> {
  const name = securityGroupName(owner);
  const [existing] = await listSecurityGroups(cloud, { name }, call);
  const group =
    existing ??
    (await createSecurityGroup(
      cloud,
      { name, description: `SSH to the image builders of ${owner.unit} in model ${owner.modelUuid}` },
      call,
    ));
  await addSecurityGroupRule(
    cloud,
    {
      groupId: group.id,
      direction: "ingress",
      protocol: "tcp",
      portMin: 22,
      portMax: 22,
      remoteIpPrefix: "0.0.0.0/0",
      etherType: "IPv4",
      description: "SSH from the image builder",
    },
    call,
  );
  return group.id;
}
