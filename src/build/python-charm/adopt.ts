/** Making the Python charm's runner images ours: tagged as if a build of this product had made them. */
import { mapLimit } from "../../base/limit.ts";
import {
  listImages,
  updateImageProperties,
  type CallOptions,
  type Cloud,
  type Image,
} from "../../openstack/index.ts";
import { isOfApplication, ownerTags, TAG } from "../names.ts";
import { buildStamp } from "../request.ts";
import { specName, type ImageSpec, type Owner } from "../types.ts";
import { isUntagged, specOfRunnerImage } from "./names.ts";

/** A whole runner image of ours in one cloud. */
export interface OwnedImage {
  /** Name of its cloud in clouds.yaml. */
  readonly cloud: string;
  readonly spec: ImageSpec;
  readonly image: Image;
  /** What stands for the build that made its content. */
  readonly revision: string;
}

/**
 * Tags, in all of `clouds`, the active untagged images with a runner image's name whose ids are in `proven`; gives them
 * together with those that are ours already. Images of the same content become one revision, named as a build of the
 * time when the first of them was made, so that every later build is newer. `onRefused` hears of images that a cloud does
 * not let us tag, and of clouds that do not answer, with null; these are not given, and the others are all the same.
 */
export async function adoptImages(
  clouds: readonly Cloud[],
  owner: Owner,
  buildId: string,
  proven: ReadonlySet<string>,
  onRefused: (cloud: Cloud, image: Image | null, error: unknown) => void,
  call: CallOptions,
): Promise<readonly OwnedImage[]> {
  const lists = await mapLimit(clouds, 8, async (cloud) => await candidatesIn(cloud, owner, proven, call));
  call.signal.throwIfAborted();
  const found = lists.flatMap((list, index) => {
    if (list.status === "fulfilled") return list.value;
    onRefused(clouds[index] as Cloud, null, list.reason);
    return [];
  });
  const revisions = new Map<string, string>();
  // those with a revision first, then the oldest
  for (const candidate of found.toSorted(byRevisionThenAge)) {
    const key = contentOf(candidate);
    if (!revisions.has(key)) revisions.set(key, candidate.revision ?? revisionOf(candidate.image));
  }
  const owned: OwnedImage[] = [];
  for (const candidate of found) {
    const { cloud, spec, image } = candidate;
    const revision = candidate.revision ?? revisions.get(contentOf(candidate)) ?? revisionOf(image);
    const set = {
      ...ownerTags(owner, buildId, "runner"),
      [TAG.base]: spec.base,
      [TAG.arch]: spec.arch,
      [TAG.revision]: revision,
      [TAG.created]: image.createdAt.toISOString(),
    };
    try {
      const ours =
        candidate.revision === null
          ? await updateImageProperties(cloud, image.id, { set, remove: [] }, call)
          : image;
      owned.push({ cloud: cloud.name, spec, image: ours, revision });
    } catch (error) {
      call.signal.throwIfAborted();
      onRefused(cloud, image, error);
    }
  }
  return owned;
}

interface Candidate {
  readonly cloud: Cloud;
  readonly spec: ImageSpec;
  readonly image: Image;
  /** Null until it is adopted. */
  readonly revision: string | null;
}

async function candidatesIn(
  cloud: Cloud,
  owner: Owner,
  proven: ReadonlySet<string>,
  call: CallOptions,
): Promise<readonly Candidate[]> {
  const images = await listImages(cloud, { owner: cloud.projectId, status: "active" }, call);
  return images.flatMap((image): readonly Candidate[] => {
    const { properties } = image;
    const spec = specOfRunnerImage(image.name, owner);
    if (spec === null) return [];
    if (isUntagged(properties)) return proven.has(image.id) ? [{ cloud, spec, image, revision: null }] : [];
    const isOurs = isOfApplication(properties, owner) && properties[TAG.role] === "runner";
    const revision = properties[TAG.revision] ?? properties[TAG.build] ?? image.id;
    return isOurs ? [{ cloud, spec, image, revision }] : [];
  });
}

function byRevisionThenAge(a: Candidate, b: Candidate): number {
  const isKnown = Number(b.revision !== null) - Number(a.revision !== null);
  return isKnown || a.image.createdAt.getTime() - b.image.createdAt.getTime();
}

/** Equal for copies of the same bytes; of an image without a hash its own. */
function contentOf({ spec, image }: Candidate): string {
  const { hashAlgorithm, hashValue, id } = image;
  return `${specName(spec)} ${hashValue === null ? id : `${hashAlgorithm}:${hashValue}`}`;
}

/** Like a build's id, and the same whoever computes it. */
function revisionOf({ createdAt, hashValue, id }: Image): string {
  return `${buildStamp(createdAt)}-${(hashValue ?? id).slice(0, 4)}`;
}
