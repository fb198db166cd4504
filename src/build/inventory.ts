/** Which copies there are, image by image. */
import { listImages, type CallOptions, type Cloud, type Image } from "../openstack/index.ts";
import { isOfApplication, runnerImageName, TAG } from "./names.ts";
import { copiesIn, type Copy, type Evidence } from "./publication/states.ts";
import { ARCHITECTURES, BASES, specName, type Artifact, type ImageSpec, type Owner } from "./types.ts";

/** One copy of an image in one cloud. */
export interface ListedCopy {
  /** Such as `noble-x64`. */
  readonly image: string;
  readonly cloud: string;
  readonly id: string;
  readonly state: Copy["state"];
  readonly isPinned: boolean;
  /** The build that made the content. */
  readonly revision: string;
  readonly sizeBytes: number | null;
  readonly createdAt: string;
  /** `sha512:…`; null while it is uploaded. */
  readonly hash: string | null;
}

/** The copies in `cloud`, newest first: of `specs`, and behind them of images that are not asked for any more. */
export async function listCopies(
  cloud: Cloud,
  owner: Owner,
  specs: readonly ImageSpec[],
  evidence: () => Promise<Evidence>,
  call: CallOptions,
): Promise<readonly ListedCopy[]> {
  const images = await listImages(cloud, { owner: cloud.projectId }, call);
  const found = await evidence();
  return [...specs, ...formerSpecs(images, owner, specs)].flatMap((spec) => {
    const name = runnerImageName(owner, spec);
    const named = images.filter((image) => image.name === name);
    return copiesIn(named, owner, found).map(({ image, state, isPinned, revision }) => ({
      image: specName(spec),
      cloud: cloud.name,
      id: image.id,
      state,
      isPinned,
      revision,
      sizeBytes: image.sizeBytes,
      createdAt: image.createdAt.toISOString(),
      hash: image.hashValue === null ? null : `${image.hashAlgorithm}:${image.hashValue}`,
    }));
  });
}

/** What our application's runner images are of, besides `specs`. */
function formerSpecs(
  images: readonly Image[],
  owner: Owner,
  specs: readonly ImageSpec[],
): readonly ImageSpec[] {
  const former = new Map<string, ImageSpec>();
  for (const { properties } of images) {
    const base = BASES.find((one) => one === properties[TAG.base]);
    const arch = ARCHITECTURES.find((one) => one === properties[TAG.arch]);
    if (base === undefined || arch === undefined || !isOfApplication(properties, owner)) continue;
    const spec = { base, arch };
    if (!specs.some((one) => specName(one) === specName(spec))) former.set(specName(spec), spec);
  }
  return [...former.values()].toSorted((a, b) => (specName(a) < specName(b) ? -1 : 1));
}

/** What may be published of `copies`: finished ones of one revision of `spec`. */
export function artifactsOfRevision(
  copies: readonly ListedCopy[],
  spec: ImageSpec,
  revision: string,
): readonly Artifact[] {
  return copies
    .filter(
      (copy) => copy.image === specName(spec) && copy.revision === revision && copy.state !== "uploading",
    )
    .map(({ cloud, id, sizeBytes, hash, createdAt }) => ({
      spec,
      cloud,
      imageId: id,
      sizeBytes: sizeBytes ?? 0,
      hash: hash ?? "",
      buildId: revision,
      createdAt,
    }));
}

/**
 * The revision of `image` that `to` means: a build's id, an image's id, or, empty, the newest one before what is
 * published. Null when there is none.
 */
export function revisionToRollTo(copies: readonly ListedCopy[], image: string, to: string): string | null {
  const finished = copies.filter((copy) => copy.image === image && copy.state !== "uploading");
  if (to !== "") return finished.find(({ id, revision }) => id === to || revision === to)?.revision ?? null;
  const published = finished.filter(({ state }) => state === "published").map(({ revision }) => revision);
  const [newest] = published.toSorted().toReversed();
  if (newest === undefined) return null;
  return (
    finished
      .map(({ revision }) => revision)
      .filter((revision) => revision < newest)
      .toSorted()
      .at(-1) ?? null
  );
}
