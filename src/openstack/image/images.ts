/** Glance images (docs.openstack.org/api-ref/image/v2); their bytes are the business of image-data.ts. */
import * as v from "valibot";
import { waitFor } from "../../base/deadline.ts";
import { createOrFind } from "../create.ts";
import { deleteFor } from "../delete.ts";
import { ImageFailedError, isNotFound } from "../errors.ts";
import { requestAll, requestParsed } from "../request.ts";
import type { CallOptions, Cloud } from "../types.ts";

/** An image as Glance describes it. */
export interface Image {
  readonly id: string;
  readonly name: string;
  /** queued, saving, importing, active, killed, deactivated, deleted, pending_delete. */
  readonly status: string;
  readonly sizeBytes: number | null;
  readonly virtualSizeBytes: number | null;
  /** Such as sha512; `null` until the image is active. */
  readonly hashAlgorithm: string | null;
  /** Hexadecimal. */
  readonly hashValue: string | null;
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  readonly minDiskGb: number;
  readonly minRamMb: number;
  readonly visibility: string;
  readonly owner: string | null;
  readonly isProtected: boolean;
  readonly tags: readonly string[];
  readonly createdAt: Date;
  /** All else that is text: what somebody set, and what Glance and Nova noted. */
  readonly properties: Readonly<Record<string, string>>;
}

const text = v.nullish(v.string(), null);
const count = v.nullish(v.number(), null);

const KNOWN = {
  id: v.string(),
  name: text,
  status: v.string(),
  size: count,
  virtual_size: count,
  os_hash_algo: text,
  os_hash_value: text,
  disk_format: text,
  container_format: text,
  min_disk: v.nullish(v.number(), 0),
  min_ram: v.nullish(v.number(), 0),
  visibility: v.string(),
  owner: text,
  protected: v.nullish(v.boolean(), false),
  tags: v.nullish(v.array(v.string()), []),
  created_at: v.string(),
};

/** Fields of Glance's own that are no properties and not read here. */
const IGNORED: ReadonlySet<string> = new Set([
  "updated_at",
  "checksum",
  "file",
  "self",
  "schema",
  "direct_url",
  "locations",
  "os_hidden",
  "stores",
]);

const ImageBody = v.pipe(
  v.looseObject(KNOWN),
  v.transform((reply): Image => {
    const properties: Record<string, string> = {};
    for (const [key, value] of Object.entries(reply)) {
      if (!Object.hasOwn(KNOWN, key) && !IGNORED.has(key) && typeof value === "string")
        properties[key] = value;
    }
    return {
      id: reply.id,
      name: reply.name ?? "",
      status: reply.status,
      sizeBytes: reply.size,
      virtualSizeBytes: reply.virtual_size,
      hashAlgorithm: reply.os_hash_algo,
      hashValue: reply.os_hash_value,
      diskFormat: reply.disk_format,
      containerFormat: reply.container_format,
      minDiskGb: reply.min_disk ?? 0,
      minRamMb: reply.min_ram ?? 0,
      visibility: reply.visibility,
      owner: reply.owner,
      isProtected: reply.protected ?? false,
      tags: reply.tags ?? [],
      createdAt: new Date(reply.created_at),
      properties,
    };
  }),
);

/** Which images to list; what is absent is no condition. */
export interface ImageFilter {
  readonly name?: string;
  readonly owner?: string;
  readonly status?: string;
  readonly tag?: string;
  readonly visibility?: string;
}

/** The images that the project sees and `filter` admits, newest first, over all pages. */
export async function listImages(cloud: Cloud, filter: ImageFilter, options: CallOptions): Promise<Image[]> {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return await requestAll(cloud.image, "images", ImageBody, {
    path: "/images",
    query: { ...Object.fromEntries(given), sort: "created_at:desc", limit: "100" },
    what: "list images",
    signal: options.signal,
  });
}

/** The image `id`; see `isNotFound` for one that does not exist. */
export async function getImage(cloud: Cloud, id: string, options: CallOptions): Promise<Image> {
  return await requestParsed(cloud.image, ImageBody, {
    method: "GET",
    path: `/images/${encodeURIComponent(id)}`,
    what: `get image ${id}`,
    signal: options.signal,
  });
}

/** What to make an image of. */
export interface NewImage {
  readonly name: string;
  /** qcow2, raw and others that the cloud admits. */
  readonly diskFormat: string;
  /** Nearly always `bare`. */
  readonly containerFormat: string;
  readonly minDiskGb: number;
  readonly minRamMb: number;
  readonly visibility: "private" | "shared" | "community" | "public";
  readonly tags: readonly string[];
  /** Unique, together with name and tags: by these an image is found again whose creation got no reply. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Creates an image without data (`queued`); `uploadImage` gives it some. The caller deletes it on a failure. */
export async function createImage(cloud: Cloud, image: NewImage, options: CallOptions): Promise<Image> {
  const body = {
    ...image.properties,
    name: image.name,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    min_disk: image.minDiskGb,
    min_ram: image.minRamMb,
    visibility: image.visibility,
    tags: image.tags,
  };
  return await createOrFind(
    cloud.image,
    options.signal,
    async () => {
      const call = { method: "POST", path: "/images", what: `create image ${image.name}` } as const;
      return await requestParsed(cloud.image, ImageBody, { ...call, body, signal: options.signal });
    },
    async () => {
      const queued = { name: image.name, owner: cloud.projectId, status: "queued" };
      const wanted = Object.entries(image.properties);
      return (await listImages(cloud, queued, options)).find(
        (each) =>
          wanted.every(([key, value]) => each.properties[key] === value) &&
          image.tags.every((tag) => each.tags.includes(tag)),
      );
    },
  );
}

/** What to change of an image. */
export interface ImageChanges {
  /** Properties to add or to overwrite. */
  readonly set: Readonly<Record<string, string>>;
  /** Properties to take away; those that are not there are fine. */
  readonly remove: readonly string[];
  readonly name?: string;
}

/** Changes an image's properties and name; gives the image as it is then. */
export async function updateImageProperties(
  cloud: Cloud,
  id: string,
  changes: ImageChanges,
  options: CallOptions,
): Promise<Image> {
  const present = changes.remove.length === 0 ? {} : (await getImage(cloud, id, options)).properties;
  const removals = changes.remove.filter((key) => key in present);
  const pointer = (key: string): string => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const patch = [
    ...Object.entries(changes.set).map(([key, value]) => ({ op: "add", path: pointer(key), value })),
    ...removals.map((key) => ({ op: "remove", path: pointer(key) })),
    ...(changes.name === undefined ? [] : [{ op: "replace", path: "/name", value: changes.name }]),
  ];
  if (patch.length === 0) return await getImage(cloud, id, options);
  return await requestParsed(cloud.image, ImageBody, {
    method: "PATCH",
    path: `/images/${encodeURIComponent(id)}`,
    body: patch,
    contentType: "application/openstack-images-v2.1-json-patch",
    what: `change the properties of image ${id}`,
    idempotent: removals.length === 0, // removing twice is a conflict
    signal: options.signal,
  });
}

/** Deletes an image; one that is gone already is fine, one in use or protected is not. */
export async function deleteImage(cloud: Cloud, id: string, options: CallOptions): Promise<void> {
  await deleteFor(cloud.image, `/images/${encodeURIComponent(id)}`, `image ${id}`, options);
}

const FAILED: ReadonlySet<string> = new Set(["killed", "deleted", "pending_delete", "deactivated"]);

/**
 * Waits until the image is active and gives it then; the caller's signal bounds the wait, `everyMs` (two
 * seconds by default) is the pause between looks. Throws {@link ImageFailedError} at once when the image is
 * killed, deleted or gone: Nova deletes a snapshot that fails.
 */
export async function waitForImage(
  cloud: Cloud,
  id: string,
  options: CallOptions & { readonly everyMs?: number },
): Promise<Image> {
  return await waitFor(options.signal, options.everyMs ?? 2000, async (signal) => {
    let image: Image;
    try {
      image = await getImage(cloud, id, { signal });
    } catch (cause) {
      if (!isNotFound(cause)) throw cause;
      throw new ImageFailedError(`image ${id} did not become active: it is gone`, id, { cause });
    }
    if (image.status === "active") return image;
    if (!FAILED.has(image.status)) return undefined;
    throw new ImageFailedError(`image ${id} did not become active: it is ${image.status}`, id);
  });
}
