/**
 * The life of one copy of an image in one cloud. Nothing keeps its state: it follows from what Glance says of the image,
 * from the databags, and from the other copies beside it, so that it is true after every crash.
 */
import type { Image } from "../../openstack/index.ts";
import { isOfApplication, TAG } from "../names.ts";
import type { Owner } from "../types.ts";

/** `verified`: whole, and not published (yet). `superseded`: a newer copy stands in its place. */
export type CopyState = "absent" | "uploading" | "verified" | "published" | "superseded" | "pruned";

/** What a copy may become. A published one is never pruned: something else is published first. */
export const TRANSITIONS: Readonly<Record<CopyState, readonly CopyState[]>> = {
  absent: ["uploading"],
  uploading: ["absent", "verified"],
  verified: ["published", "superseded"],
  published: ["superseded", "verified"],
  // a rollback publishes it again
  superseded: ["published", "pruned"],
  pruned: [],
};

/** What the states of copies are told by, besides the images. */
export interface Evidence {
  /** Ids that stand in a databag. */
  readonly published: ReadonlySet<string>;
  /** Revisions (ids of builds) that an operator pinned. */
  readonly pinned: ReadonlySet<string>;
}

/** One copy that exists. */
export interface Copy {
  readonly image: Image;
  /** The build that made its content; of an image without that tag, of another revision of this product, its own. */
  readonly revision: string;
  readonly state: "uploading" | "verified" | "published" | "superseded";
  readonly isPinned: boolean;
}

/**
 * The copies of one image in one cloud among `images` (all of one name), newest revision first. What is not our
 * application's, and base images and snapshots, are none.
 */
export function copiesIn(images: readonly Image[], owner: Owner, evidence: Evidence): readonly Copy[] {
  const ours = images
    .filter(({ properties }) => isOfApplication(properties, owner) && isCopy(properties[TAG.role]))
    .map((image) => ({ image, revision: revisionOf(image) }))
    .toSorted(
      (a, b) => compare(b.revision, a.revision) || b.image.createdAt.getTime() - a.image.createdAt.getTime(),
    );
  const isAnyPublished = ours.some(({ image }) => evidence.published.has(image.id));
  let newer = 0;
  return ours.map(({ image, revision }) => {
    const isUploading = image.properties[TAG.role] === "upload" || image.status !== "active";
    const isPublished = !isUploading && evidence.published.has(image.id);
    const state = isUploading
      ? "uploading"
      : isPublished
        ? "published"
        : newer > 0 && isAnyPublished
          ? "superseded"
          : "verified";
    if (!isUploading) newer += 1;
    return { image, revision, state, isPinned: evidence.pinned.has(revision) };
  });
}

const isCopy = (role: string | undefined): boolean => role === "runner" || role === "upload";

function revisionOf({ id, properties }: Image): string {
  return properties[TAG.revision] ?? properties[TAG.build] ?? id;
}

/**
 * Which of `copies` (newest first, of one image in one cloud) may be deleted so that `keep` revisions stay: superseded
 * ones alone, neither pinned nor of the revision before what is published. There may be two copies of a revision, where
 * a crash came before the first one was journalled. A protected one is named too: it stays, and that is reported.
 */
export function prunable(copies: readonly Copy[], keep: number): readonly Copy[] {
  const finished = copies.filter(({ state }) => state !== "uploading");
  const revisions = [...new Set(finished.map(({ revision }) => revision))];
  const published = finished.find(({ state }) => state === "published");
  const kept = new Set(revisions.slice(0, keep));
  if (published !== undefined) {
    // what to roll back to, however few are to be kept
    const previous = revisions[revisions.indexOf(published.revision) + 1];
    if (previous !== undefined) kept.add(previous);
  }
  return finished.filter(
    ({ state, isPinned, revision }) => state === "superseded" && !isPinned && !kept.has(revision),
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
