/** Deleting what dead builds left. Found by owner tags (key pairs by our unique prefix), never by name alone. */
import { asError } from "../base/errors.ts";
import {
  deleteImage,
  deleteKeyPair,
  deleteServer,
  listImages,
  listKeyPairs,
  listServers,
  waitForServerGone,
  type CallOptions,
  type Cloud,
} from "../openstack/index.ts";
import { isOwnedBy, keyPairPrefix, TAG } from "./names.ts";
import type { Owner } from "./types.ts";

/** Something that a dead build left, and how to delete it. */
export interface Orphan {
  readonly kind: "server" | "key pair" | "image";
  readonly id: string;
  readonly name: string;
  readonly delete: (call: CallOptions) => Promise<void>;
}

/** States of an image whose data never arrived whole (Glance API, image statuses). */
const UNFINISHED: ReadonlySet<string> = new Set(["queued", "saving", "uploading", "importing", "killed"]);

/** All orphans of `owner` in `cloud`; the builds in `alive` and the images in `keep` are left alone. */
export async function findOrphans(
  cloud: Cloud,
  owner: Owner,
  alive: ReadonlySet<string>,
  keep: ReadonlySet<string>,
  call: CallOptions,
): Promise<readonly Orphan[]> {
  const [servers, keyPairs, images] = await Promise.all([
    listServers(cloud, {}, call),
    listKeyPairs(cloud, call),
    listImages(cloud, { owner: cloud.projectId }, call),
  ]);
  const isDead = (tags: Readonly<Record<string, string>>): boolean =>
    isOwnedBy(tags, owner) && !alive.has(tags[TAG.build] ?? "");
  const prefix = keyPairPrefix(owner);
  return [
    ...servers
      .filter((server) => server.metadata[TAG.role] === "builder" && isDead(server.metadata))
      .map((server): Orphan => ({
        kind: "server",
        id: server.id,
        name: server.name,
        delete: async (options) => {
          await deleteServer(cloud, server.id, options);
          await waitForServerGone(cloud, server.id, options);
        },
      })),
    ...keyPairs
      .filter(
        ({ name }) => name.startsWith(prefix) && ![...alive].some((build) => name.endsWith(`-${build}`)),
      )
      .map(({ name }): Orphan => ({
        kind: "key pair",
        id: name,
        name,
        delete: async (options) => await deleteKeyPair(cloud, name, options),
      })),
    ...images
      .filter(
        (image) =>
          isDead(image.properties) &&
          !keep.has(image.id) &&
          (image.properties[TAG.role] === "snapshot" || UNFINISHED.has(image.status)),
      )
      .map((image): Orphan => ({
        kind: "image",
        id: image.id,
        name: image.name,
        delete: async (options) => await deleteImage(cloud, image.id, options),
      })),
  ];
}

/** Deletes the orphans; gives those that could not be deleted, with the reason. */
export async function reap(
  orphans: readonly Orphan[],
  call: CallOptions,
): Promise<readonly { readonly orphan: Orphan; readonly error: Error }[]> {
  const results = await Promise.allSettled(orphans.map(async (orphan) => await orphan.delete(call)));
  call.signal.throwIfAborted();
  return results.flatMap((result, index) =>
    result.status === "rejected" ? [{ orphan: orphans[index] as Orphan, error: asError(result.reason) }] : [],
  );
}
