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

/** A copy that goes, and why it does not where it cannot. */
export interface Prunable extends Copy {
  readonly stays: Error | null;
}

/**
 * The copies of `what` in `cloud` that {@link prunable} names. `evidence` is asked after the images are listed, so that
 * what was published or pinned meanwhile is none.
 */
export async function findPrunable(
  cloud: Cloud,
  what: PruneWish,
  evidence: () => Promise<Evidence>,
  call: CallOptions,
): Promise<readonly Prunable[]> {
  const name = runnerImageName(what.owner, what.spec);
  const images = await listImages(cloud, { name, owner: cloud.projectId }, call);
  return prunable(copiesIn(images, what.owner, await evidence()), what.keep).map((copy) => ({
    ...copy,
    stays: copy.image.isProtected ? new AppError("it is protected") : null,
  }));
}

/**
 * Deletes what {@link findPrunable} found and gives all of it; what cannot be deleted (protected, in use) `stays` for the
 * next time.
 */
export async function deletePrunable(
  cloud: Cloud,
  found: readonly Prunable[],
  call: CallOptions,
): Promise<readonly Prunable[]> {
  const results: Prunable[] = [];
  for (const copy of found) {
    let { stays } = copy;
    try {
      if (stays === null) await deleteImage(cloud, copy.image.id, call);
    } catch (error) {
      call.signal.throwIfAborted();
      stays = asError(error);
    }
    results.push({ ...copy, stays });
  }
  return results;
}

/** Deletes what {@link findPrunable} finds and gives the ids; what stays is reported. */
export async function prune(
  cloud: Cloud,
  what: PruneWish,
  evidence: () => Promise<Evidence>,
  onLeftover: (image: Image, error: Error) => void,
  call: CallOptions,
): Promise<readonly string[]> {
  const found = await findPrunable(cloud, what, evidence, call);
  const deleted: string[] = [];
  for (const { image, stays } of await deletePrunable(cloud, found, call)) {
    if (stays === null) deleted.push(image.id);
    else onLeftover(image, stays);
  }
  return deleted;
}
