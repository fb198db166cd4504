/** Neutron networks (docs.openstack.org/api-ref/network/v2, "Networks"). */
import * as v from "valibot";
import { requestAll } from "../request.ts";
import type { CallOptions, Cloud } from "../types.ts";

/** A network that the project sees. */
export interface Network {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly adminStateUp: boolean;
  readonly isExternal: boolean;
  readonly isShared: boolean;
  readonly subnetIds: readonly string[];
}

const NetworkBody = v.pipe(
  v.object({
    id: v.string(),
    name: v.string(),
    status: v.string(),
    admin_state_up: v.boolean(),
    "router:external": v.optional(v.boolean(), false),
    shared: v.optional(v.boolean(), false),
    subnets: v.optional(v.array(v.string()), []),
  }),
  v.transform((reply): Network => ({
    id: reply.id,
    name: reply.name,
    status: reply.status,
    adminStateUp: reply.admin_state_up,
    isExternal: reply["router:external"],
    isShared: reply.shared,
    subnetIds: reply.subnets,
  })),
);

/** All networks that the project sees: its own, shared and external ones. */
export async function listNetworks(cloud: Cloud, options: CallOptions): Promise<Network[]> {
  return await requestAll(cloud.network, "networks", NetworkBody, {
    path: "/networks",
    what: "list networks",
    signal: options.signal,
  });
}
