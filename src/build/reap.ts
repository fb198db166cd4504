/** Deleting what dead builds left. Found by owner tags (key pairs by our unique prefix), never by name alone. */
import { asError } from "../base/errors.ts";
import {
  deleteImage,
  deleteKeyPair,
  deleteSecurityGroup,
  deleteServer,
  listImages,
  listKeyPairs,
  listSecurityGroups,
  listServers,
  waitForServerGone,
  type CallOptions,
  type Cloud,
} from "../openstack/index.ts";
import { isInherited, TAG, unitInName } from "./names.ts";
import type { Owner } from "./types.ts";

/** Something that a dead build left, and how to delete it. */
export interface Orphan {
  readonly kind: "server" | "key pair" | "security group" | "image";
  readonly id: string;
  readonly name: string;
  readonly delete: (call: CallOptions) => Promise<void>;
}

/** States of an image whose data never arrived whole (Glance API, image statuses). */
const UNFINISHED: ReadonlySet<string> = new Set(["queued", "saving", "uploading", "importing", "killed"]);

/** What is nobody's orphan. */
export interface Living {
  /** Ids of the builds of this unit that run. */
  readonly builds: ReadonlySet<string>;
  /** The application's other units, whose builds we do not know. */
  readonly otherUnits: readonly string[];
  /** Whether the unit itself goes away, and its security group with it. */
  readonly isLeaving: boolean;
  /** Images that stay whatever their state. */
  readonly images: ReadonlySet<string>;
}

/**
 * All orphans in `cloud` that `owner`'s unit made, or a unit of its application that is gone. `askLiving` is asked after
 * all is listed: a build writes itself down before it makes anything, so one that began meanwhile is known by then.
 */
export async function findOrphans(
  cloud: Cloud,
  owner: Owner,
  askLiving: () => Promise<Living>,
  call: CallOptions,
): Promise<readonly Orphan[]> {
  const [servers, keyPairs, groups, images] = await Promise.all([
    listServers(cloud, {}, call),
    listKeyPairs(cloud, call),
    listSecurityGroups(cloud, {}, call),
    listImages(cloud, { owner: cloud.projectId }, call),
  ]);
  const living = await askLiving();
  const isDead = (tags: Readonly<Record<string, string>>): boolean =>
    isInherited(tags, owner, living.otherUnits) && !living.builds.has(tags[TAG.build] ?? "");
  const isOfDeadUnit = (name: string): boolean => {
    const unit = unitInName(name, owner);
    return unit !== null && unit !== owner.unit && !living.otherUnits.includes(unit);
  };
  const isOfDeadBuild = (name: string): boolean =>
    unitInName(name, owner) === owner.unit && ![...living.builds].some((build) => name.endsWith(`-${build}`));
  return [
    ...servers
      .filter((server) => server.metadata[TAG.role] === "builder" && isDead(server.metadata))
      .map((server) => orphanServer(cloud, server)),
    ...keyPairs
      .filter(({ name }) => isOfDeadBuild(name) || isOfDeadUnit(name))
      .map((keyPair) => orphanKeyPair(cloud, keyPair)),
    ...groups
      .filter(
        ({ name }) => isOfDeadUnit(name) || (living.isLeaving && unitInName(name, owner) === owner.unit),
      )
      .map(({ id, name }): Orphan => ({
        kind: "security group",
        id,
        name,
        delete: async (options) => await deleteSecurityGroup(cloud, id, options),
      })),
    ...images
      .filter(
        (image) =>
          isDead(image.properties) &&
          !living.images.has(image.id) &&
          (image.properties[TAG.role] === "snapshot" ||
            image.properties[TAG.role] === "upload" ||
            UNFINISHED.has(image.status)),
      )
      .map((image) => orphanImage(cloud, image)),
  ];
}

/** A server that goes, and is waited for. */
export function orphanServer(cloud: Cloud, { id, name }: Pick<Orphan, "id" | "name">): Orphan {
  const remove = async (options: CallOptions): Promise<void> => {
    await deleteServer(cloud, id, options);
    await waitForServerGone(cloud, id, options);
  };
  return { kind: "server", id, name, delete: remove };
}

/** A key pair that goes; its name is its id. */
export function orphanKeyPair(cloud: Cloud, { name }: Pick<Orphan, "name">): Orphan {
  const remove = async (options: CallOptions): Promise<void> => await deleteKeyPair(cloud, name, options);
  return { kind: "key pair", id: name, name, delete: remove };
}

/** An image that goes. */
export function orphanImage(cloud: Cloud, { id, name }: Pick<Orphan, "id" | "name">): Orphan {
  const remove = async (options: CallOptions): Promise<void> => await deleteImage(cloud, id, options);
  return { kind: "image", id, name, delete: remove };
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
