/** Neutron security groups (docs.openstack.org/api-ref/network/v2, "Security groups"). */
import * as v from "valibot";
import { createOrFind } from "../create.ts";
import { deleteFor } from "../delete.ts";
import { neutronType } from "../errors.ts";
import { request, requestAll, requestParsed } from "../request.ts";
import type { CallOptions, Cloud } from "../types.ts";

/** A named set of rules; servers in it may do what one of them allows. */
export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Empty also where Neutron lacks the tag extension. */
  readonly tags: readonly string[];
}

const GroupBody = v.pipe(
  v.object({
    id: v.string(),
    name: v.string(),
    description: v.nullish(v.string(), ""),
    tags: v.optional(v.array(v.string()), []),
  }),
  v.transform((reply): SecurityGroup => ({
    id: reply.id,
    name: reply.name,
    description: reply.description ?? "",
    tags: reply.tags,
  })),
);

/** The project's security groups, or those of exactly this name. */
export async function listSecurityGroups(
  cloud: Cloud,
  filter: { readonly name?: string },
  options: CallOptions,
): Promise<SecurityGroup[]> {
  return await requestAll(cloud.network, "security_groups", GroupBody, {
    path: "/security-groups",
    query: { project_id: cloud.projectId, ...(filter.name === undefined ? {} : { name: filter.name }) },
    what: "list security groups",
    signal: options.signal,
  });
}

/**
 * Creates a security group; Neutron gives it rules that let everything out. Name and description together
 * must be unique, so that the group is found again when the reply is lost. The caller deletes it.
 */
export async function createSecurityGroup(
  cloud: Cloud,
  group: { readonly name: string; readonly description: string },
  options: CallOptions,
): Promise<SecurityGroup> {
  const { name, description } = group;
  return await createOrFind(
    cloud.network,
    options.signal,
    async () => {
      const reply = await requestParsed(cloud.network, v.object({ security_group: GroupBody }), {
        method: "POST",
        path: "/security-groups",
        body: { security_group: { name, description } },
        what: `create security group ${name}`,
        signal: options.signal,
      });
      return reply.security_group;
    },
    async () => {
      const groups = await listSecurityGroups(cloud, { name }, options);
      return groups.find((each) => each.description === description);
    },
  );
}

/** One thing that servers of a group may do. */
export interface NewSecurityGroupRule {
  readonly groupId: string;
  readonly direction: "ingress" | "egress";
  /** `null`: any. */
  readonly protocol: "tcp" | "udp" | "icmp" | null;
  /** For ICMP the type; `null`: any. */
  readonly portMin: number | null;
  /** For ICMP the code; `null`: any. */
  readonly portMax: number | null;
  /** `null`: from or to anywhere. */
  readonly remoteIpPrefix: string | null;
  readonly etherType: "IPv4" | "IPv6";
  readonly description: string;
}

/** Adds a rule; one that exists already is fine. */
export async function addSecurityGroupRule(
  cloud: Cloud,
  rule: NewSecurityGroupRule,
  options: CallOptions,
): Promise<void> {
  try {
    await request(cloud.network, {
      method: "POST",
      path: "/security-group-rules",
      body: {
        security_group_rule: {
          security_group_id: rule.groupId,
          direction: rule.direction,
          protocol: rule.protocol,
          port_range_min: rule.portMin,
          port_range_max: rule.portMax,
          remote_ip_prefix: rule.remoteIpPrefix,
          ethertype: rule.etherType,
          description: rule.description,
        },
      },
      what: `add a rule to security group ${rule.groupId}`,
      idempotent: true, // a second one is refused as existing, see below
      signal: options.signal,
    });
  } catch (error) {
    if (neutronType(error) !== "SecurityGroupRuleExists") throw error;
  }
}

/**
 * Replaces the group's tags. Gives false, and changes nothing, where Neutron lacks the tag extension
 * (`standard-attr-tag`, or `tag-ext` before it).
 */
export async function setSecurityGroupTags(
  cloud: Cloud,
  id: string,
  tags: readonly string[],
  options: CallOptions,
): Promise<boolean> {
  const extensions = await requestAll(cloud.network, "extensions", v.object({ alias: v.string() }), {
    path: "/extensions",
    what: "list the extensions of Neutron",
    signal: options.signal,
  });
  if (!extensions.some(({ alias }) => alias === "standard-attr-tag" || alias === "tag-ext")) return false;
  await request(cloud.network, {
    method: "PUT",
    path: `/security-groups/${encodeURIComponent(id)}/tags`,
    body: { tags },
    what: `tag security group ${id}`,
    signal: options.signal,
  });
  return true;
}

/** Deletes a security group; one that is gone already is fine, one in use is a conflict. */
export async function deleteSecurityGroup(cloud: Cloud, id: string, options: CallOptions): Promise<void> {
  await deleteFor(
    cloud.network,
    `/security-groups/${encodeURIComponent(id)}`,
    `security group ${id}`,
    options,
  );
}
