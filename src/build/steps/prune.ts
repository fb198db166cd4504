/** Deleting superseded revisions, after the new one is published and never before. */
import * as v from "valibot";
import { AppError, asError } from "../../base/errors.ts";
import { readOptional } from "../../base/files.ts";
import { deleteImage, listImages, type CallOptions, type Cloud, type Image } from "../../openstack/index.ts";
import { runnerImageName } from "../names.ts";
import { copiesIn, prunable, type Copy, type Evidence } from "../publication/states.ts";
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

/** What of one image goes in one cloud. */
export interface PruneWish {
  readonly owner: Owner;
  readonly spec: ImageSpec;
  readonly keep: number;
}

/** The copies of `what` in `cloud` that {@link prunable} names. */
export async function findPrunable(
  cloud: Cloud,
  what: PruneWish,
  evidence: Evidence,
  call: CallOptions,
): Promise<readonly Copy[]> {
  const name = runnerImageName(what.owner, what.spec);
  const images = await listImages(cloud, { name, owner: cloud.projectId }, call);
  return prunable(copiesIn(images, what.owner, evidence), what.keep);
}

/** Deletes what {@link findPrunable} finds; what cannot be deleted (protected, in use) is reported, and stays for the next time. */
export async function prune(
  cloud: Cloud,
  what: PruneWish,
  evidence: Evidence,
  onLeftover: (image: Image, error: Error) => void,
  call: CallOptions,
): Promise<readonly string[]> {
  const deleted: string[] = [];
  for (const { image } of await findPrunable(cloud, what, evidence, call)) {
    try {
      if (image.isProtected) throw new AppError("it is protected");
      await deleteImage(cloud, image.id, call);
      deleted.push(image.id);
    } catch (error) {
      call.signal.throwIfAborted();
      onLeftover(image, asError(error));
    }
  }
  return deleted;
}
