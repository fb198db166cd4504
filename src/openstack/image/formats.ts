/** Which formats a Glance takes (docs.openstack.org/api-ref/image/v2, "Image schemas"). */
import * as v from "valibot";
import { requestParsed } from "../request.ts";
import type { CallOptions, Cloud } from "../types.ts";

const enumeration = v.object({ enum: v.optional(v.array(v.nullable(v.string())), []) });
const Schema = v.object({
  properties: v.object({ disk_format: enumeration, container_format: enumeration }),
});

/** Formats by their names in the API, such as qcow2 and bare. */
export interface ImageFormats {
  readonly disk: readonly string[];
  readonly container: readonly string[];
}

/** The formats that the cloud's Glance is configured to take. */
export async function readImageFormats(cloud: Cloud, options: CallOptions): Promise<ImageFormats> {
  const { properties } = await requestParsed(cloud.image, Schema, {
    method: "GET",
    path: "/schemas/image",
    what: "read the image formats",
    signal: options.signal,
  });
  const named = (values: readonly (string | null)[]): readonly string[] =>
    values.filter((value) => value !== null);
  return { disk: named(properties.disk_format.enum), container: named(properties.container_format.enum) };
}
