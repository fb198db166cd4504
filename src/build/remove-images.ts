/** Removing our runner images from a cloud that no related charm uses any more. */
import { AppError, asError, describe } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { deleteImage, listImages, type CallOptions, type Cloud, type Image } from "../openstack/index.ts";
import { isOfApplication, TAG } from "./names.ts";
import type { Owner } from "./types.ts";

/** What came of it. */
export interface Removal {
  readonly removed: readonly string[];
  /** Images that stay because some relation publishes them still. */
  readonly published: readonly string[];
}

/**
 * Deletes the runner images that `owner`'s application made in the project of `cloud`, but for `published` ones
 * and all of them when one of `others` is the same project. Other images of the project are left alone,
 * whatever their name. Throws when some could not be deleted, naming them.
 */
export async function removeImages(
  cloud: Cloud,
  others: readonly Cloud[],
  owner: Owner,
  published: ReadonlySet<string>,
  log: Logger,
  call: CallOptions,
): Promise<Removal> {
  const sharing = others.find(
    ({ projectId, authUrl }) => projectId === cloud.projectId && authUrl === cloud.authUrl,
  );
  if (sharing !== undefined) {
    log.info(
      { cloud: cloud.name, other: sharing.name },
      "another relation uses this project; its images stay",
    );
    return { removed: [], published: [] };
  }
  const images = (await listImages(cloud, { owner: cloud.projectId }, call)).filter(
    ({ properties }) => properties[TAG.role] === "runner" && isOfApplication(properties, owner),
  );
  const removed: string[] = [];
  const failures: { readonly image: Image; readonly error: Error }[] = [];
  for (const image of images.filter(({ id }) => !published.has(id))) {
    try {
      await deleteImage(cloud, image.id, call);
      removed.push(image.id);
      log.info({ cloud: cloud.name, image: image.id, name: image.name }, "removed");
    } catch (error) {
      call.signal.throwIfAborted();
      failures.push({ image, error: asError(error) });
    }
  }
  if (failures.length > 0) {
    const names = failures.map(({ image, error }) => `${image.name} (${image.id}): ${describe(error)}`);
    throw new AppError(`cannot remove ${names.join("; ")}`);
  }
  return { removed, published: images.filter(({ id }) => published.has(id)).map(({ id }) => id) };
}
