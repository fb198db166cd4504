/** Which address a service has: the region and endpoints of Keystone's catalogue. */
import * as v from "valibot";
import { ConfigError } from "../base/errors.ts";
import type { ServiceName } from "./types.ts";

/** The part of Keystone's token reply that is read here; the rest goes to pkgcloud as it is. */
export const TokenReply = v.looseObject({
  token: v.looseObject({
    expires_at: v.string(),
    issued_at: v.string(),
    user: v.looseObject({ id: v.string() }),
    project: v.looseObject({ id: v.string(), name: v.string() }),
    catalog: v.array(
      v.looseObject({
        type: v.string(),
        endpoints: v.array(
          v.looseObject({
            interface: v.string(),
            region: v.nullish(v.string()),
            region_id: v.nullish(v.string()),
            url: v.string(),
          }),
        ),
      }),
    ),
  }),
});

/** Services of Keystone's catalogue. */
export type Catalog = v.InferOutput<typeof TokenReply>["token"]["catalog"];

/** Where {@link narrowCatalog} puts every endpoint: pkgcloud finds none without a region. */
export const SELECTED_REGION = "selected";

const WANTED: readonly ServiceName[] = ["compute", "image", "network"];

const regionOf = (endpoint: Catalog[number]["endpoints"][number]): string =>
  endpoint.region ?? endpoint.region_id ?? "";

/**
 * `wanted`, or the catalogue's only region when that is `null`. Throws {@link ConfigError} naming the regions
 * when it is not among them, or when there are several to choose from.
 */
export function chooseRegion(catalog: Catalog, wanted: string | null, cloudName: string): string {
  const endpoints = catalog
    .filter((service) => service.type === "compute")
    .flatMap((service) => service.endpoints)
    .filter((endpoint) => endpoint.interface === "public");
  const regions = [...new Set(endpoints.map(regionOf))].toSorted();
  const list = regions.join(", ");
  if (regions.length === 0) {
    throw new ConfigError([`cloud ${cloudName} has no compute service in its catalogue`]);
  }
  if (wanted !== null) {
    const found = regions.find((region) => region.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) return found;
    throw new ConfigError([`cloud ${cloudName} has no region ${wanted}; its regions are: ${list}`]);
  }
  const [only, second] = regions;
  if (only === undefined || second !== undefined) {
    throw new ConfigError([`cloud ${cloudName} has several regions, choose one of: ${list}`]);
  }
  return only;
}

/**
 * The catalogue that pkgcloud is to see: the three services with their public endpoints in `region`, under
 * names that are different, because it files services by name and lets a later one hide an earlier one.
 * Throws {@link ConfigError} naming the services that are missing.
 */
export function narrowCatalog(catalog: Catalog, region: string, cloudName: string): Catalog {
  const narrowed = WANTED.flatMap((type) => {
    const endpoint = catalog
      .filter((service) => service.type === type)
      .flatMap((service) => service.endpoints)
      .find((each) => each.interface === "public" && regionOf(each) === region);
    return endpoint === undefined
      ? []
      : [{ type, name: type, endpoints: [{ ...endpoint, region: SELECTED_REGION }] }];
  });
  const missing = WANTED.filter((type) => !narrowed.some((service) => service.type === type));
  if (missing.length === 0) return narrowed;
  const present = [...new Set(catalog.map((service) => service.type))].toSorted().join(", ");
  throw new ConfigError(
    missing.map(
      (type) =>
        `cloud ${cloudName} has no ${type} service in region ${region}; its catalogue has: ${present}`,
    ),
  );
}

/** The base of a service's calls: its endpoint with the API version, which catalogues may leave out. */
export function apiUrl(type: ServiceName, endpoint: string): string {
  const url = endpoint.replace(/\/+$/, "");
  if (type === "image") return `${url.replace(/\/v2(\.\d+)?$/, "")}/v2`;
  if (type === "network") return `${url.replace(/\/v2(\.0)?$/, "")}/v2.0`;
  return url;
}
