/** Nova flavors and the project's limits (docs.openstack.org/api-ref/compute, "Flavors", "Limits"). */
import * as v from "valibot";
import { requestAll, requestParsed } from "../request.ts";
import type { CallOptions, Cloud } from "../types.ts";
import { listKeyPairs } from "./keypairs.ts";

/** A machine size. */
export interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly ramMb: number;
  readonly diskGb: number;
  readonly isPublic: boolean;
  readonly disabled: boolean;
}

const FlavorReply = v.pipe(
  v.object({
    id: v.string(),
    name: v.string(),
    vcpus: v.number(),
    ram: v.number(),
    disk: v.number(),
    "os-flavor-access:is_public": v.optional(v.boolean(), true),
    "OS-FLV-DISABLED:disabled": v.optional(v.boolean(), false),
  }),
  v.transform((reply): Flavor => ({
    id: reply.id,
    name: reply.name,
    vcpus: reply.vcpus,
    ramMb: reply.ram,
    diskGb: reply.disk,
    isPublic: reply["os-flavor-access:is_public"],
    disabled: reply["OS-FLV-DISABLED:disabled"],
  })),
);

/** All flavors that the project may use. */
export async function listFlavors(cloud: Cloud, options: CallOptions): Promise<Flavor[]> {
  const { signal } = options;
  return await requestAll(cloud.compute, "flavors", FlavorReply, {
    path: "/flavors/detail",
    what: "list flavors",
    signal,
  });
}

/** A quota: `limit` -1 means unlimited. */
export interface Limit {
  readonly limit: number;
  readonly used: number;
}

/** How much of Nova's quota the project (for key pairs: the user) has used up. */
export interface ComputeLimits {
  readonly instances: Limit;
  readonly cores: Limit;
  readonly ramMb: Limit;
  readonly keyPairs: Limit;
}

const LimitsReply = v.object({
  limits: v.object({
    absolute: v.object({
      maxTotalInstances: v.number(),
      totalInstancesUsed: v.number(),
      maxTotalCores: v.number(),
      totalCoresUsed: v.number(),
      maxTotalRAMSize: v.number(),
      totalRAMUsed: v.number(),
      maxTotalKeypairs: v.number(),
    }),
  }),
});

/** The project's limits and what of them is used; key pairs are counted by listing them, Nova does not. */
export async function readComputeLimits(cloud: Cloud, options: CallOptions): Promise<ComputeLimits> {
  const { signal } = options;
  const reply = await requestParsed(cloud.compute, LimitsReply, {
    method: "GET",
    path: "/limits",
    what: "read the compute limits",
    signal,
  });
  const { absolute } = reply.limits;
  const keyPairs = await listKeyPairs(cloud, options);
  return {
    instances: { limit: absolute.maxTotalInstances, used: absolute.totalInstancesUsed },
    cores: { limit: absolute.maxTotalCores, used: absolute.totalCoresUsed },
    ramMb: { limit: absolute.maxTotalRAMSize, used: absolute.totalRAMUsed },
    keyPairs: { limit: absolute.maxTotalKeypairs, used: keyPairs.length },
  };
}
