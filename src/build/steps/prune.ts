/** Deleting superseded revisions, after the new one is published and never before. */
import * as v from "valibot";
import { asError } from "../../base/errors.ts";
import { readOptional } from "../../base/files.ts";
import { deleteImage, listImages, type CallOptions, type Cloud, type Image } from "../../openstack/index.ts";
import { isOfApplication, runnerImageName, TAG } from "../names.ts";
import type { ImageSpec, Owner } from "../types.ts";

const publishedSchema = v.object({ ids: v.array(v.string()) });

/** The ids of all images that stand in a databag, as the charm recorded them; null when it recorded nothing. */
export async function readPublished(path: string): Promise<ReadonlySet<string> | null> {
  const json = await readOptional(path);
  if (json === undefined) return null;
  return new Set(v.parse(publishedSchema, JSON.parse(json)).ids);
}

/** The text that {@link readPublished} reads. */
export function formatPublished(ids: readonly string[]): string {
  return `${JSON.stringify({ ids: ids.toSorted() })}\n`;
}

/**
 * Which of `images` (newest first, all of one name) go: our application's, active, beyond the newest `keep`, and in no
 * databag. Images of other owners with the same name are never among them.
 */
export function superseded(
  images: readonly Image[],
  owner: Owner,
  published: ReadonlySet<string>,
  keep: number,
): readonly Image[] {
  return images
    .filter(
      (image) =>
        image.status === "active" &&
        image.properties[TAG.role] === "runner" &&
        isOfApplication(image.properties, owner),
    )
    .slice(keep)
    .filter((image) => !published.has(image.id) && !image.isProtected);
}

/** Deletes what {@link superseded} names in `cloud`; what cannot be deleted is reported through `onLeftover`. */
export async function prune(
  cloud: Cloud,
  what: { readonly owner: Owner; readonly spec: ImageSpec; readonly keep: number },
  published: ReadonlySet<string>,
  onLeftover: (image: Image, error: Error) => void,
  call: CallOptions,
): Promise<readonly string[]> {
  const name = runnerImageName(what.owner, what.spec);
  const images = await listImages(cloud, { name, owner: cloud.projectId }, call);
  const deleted: string[] = [];
  for (const image of superseded(images, what.owner, published, what.keep)) {
    try {
      await deleteImage(cloud, image.id, call);
      deleted.push(image.id);
    } catch (error) {
      call.signal.throwIfAborted();
      onLeftover(image, asError(error));
    }
  }
  return deleted;
}
