/** How many builder servers the build project's quota has room for, asked before anything is made. */
import { AppError } from "../../base/errors.ts";
import type { ComputeLimits, Flavor, Limit } from "../../openstack/index.ts";

/**
 * Builders of `flavor` that fit into what is left of the quota at this moment; `Infinity` where nothing is
 * limited. Throws one sentence with every quota that is too short when not even one fits.
 */
export function roomForBuilders(limits: ComputeLimits, flavor: Flavor): number {
  const needs = [
    { what: "instances", each: 1, quota: limits.instances },
    { what: "cores", each: flavor.vcpus, quota: limits.cores },
    { what: "MB of RAM", each: flavor.ramMb, quota: limits.ramMb },
    { what: "key pairs", each: 1, quota: limits.keyPairs },
  ];
  const short = needs.filter(({ each, quota }) => left(quota) < each);
  if (short.length > 0) {
    const found = short.map(
      ({ what, each, quota }) =>
        `${quota.used} of ${quota.limit} ${what} are used and a builder needs ${each}`,
    );
    throw new AppError(
      `the quota of the build project has no room for a builder of flavor "${flavor.name}": ` +
        `${found.join("; ")}; free some or raise the quota`,
    );
  }
  return Math.min(...needs.map(({ each, quota }) => Math.floor(left(quota) / each)));
}

function left({ limit, used }: Limit): number {
  return limit < 0 ? Infinity : limit - used;
}
