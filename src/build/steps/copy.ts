/** One copy of an image in one cloud: made, filled, verified, and only then called a runner image. */
import { createHash } from "node:crypto";
import { AppError } from "../../base/errors.ts";
import {
  createImage,
  deleteImage,
  updateImageProperties,
  uploadImage,
  waitForImage,
  type Cloud,
  type Image,
} from "../../openstack/index.ts";
import { ARCH_NAMES } from "../base-images.ts";
import { resuming, type Source } from "../fan-out.ts";
import { ownerTags, runnerImageName, TAG, type Role } from "../names.ts";
import { createInScope } from "./create-in-scope.ts";
import type { UploadNeeds } from "./upload.ts";

/** Properties of the source that describe the disk's content and so belong on every copy. */
const CARRIED = /^(hw_.+|os_type|os_distro|os_version|os_admin_user|os_require_quiesce)$/;
/** Ours that tell of the content. */
const CONTENTS = [TAG.serial, TAG.sha256, TAG.runnerVersion, TAG.recipe, TAG.created];

/** Gives the source's digest by a hash algorithm of Glance's. */
export type Digests = (algorithm: string) => Promise<string>;

/**
 * Digests of `image`: the one that its Glance computed; another one, for a cloud that is configured to another algorithm,
 * by reading all of it once more.
 */
export function digestsOf(image: Image, source: Source, signal: AbortSignal): Digests {
  const computed = new Map<string, Promise<string>>();
  const compute = async (algorithm: string): Promise<string> => {
    const hash = createHash(algorithm);
    for await (const chunk of resuming(source, 0, signal)) hash.update(chunk);
    return hash.digest("hex");
  };
  return async (algorithm) => {
    if (algorithm === image.hashAlgorithm && image.hashValue !== null) return image.hashValue;
    const known = computed.get(algorithm) ?? compute(algorithm);
    computed.set(algorithm, known);
    return await known;
  };
}

/** All properties of a copy, `role` apart what it is at this moment. */
export function copyProperties(
  { image, request, spec, revision }: Pick<UploadNeeds, "image" | "request" | "spec" | "revision">,
  role: Role,
): Record<string, string> {
  const of = (names: (name: string) => boolean): Record<string, string> =>
    Object.fromEntries(Object.entries(image.properties).filter(([name]) => names(name)));
  return {
    ...of((name) => CARRIED.test(name)),
    [TAG.created]: new Date().toISOString(),
    ...of((name) => (CONTENTS as readonly string[]).includes(name)),
    ...ownerTags(request.owner, request.id, role),
    architecture: ARCH_NAMES[spec.arch].glance,
    [TAG.base]: spec.base,
    [TAG.arch]: spec.arch,
    [TAG.revision]: revision,
  };
}

/**
 * Fills a new image in `cloud` with `data` and verifies it: size and hash as its Glance computed them must be the
 * source's, so every byte is. Whatever fails, the image goes.
 */
export async function copyInto(
  needs: UploadNeeds,
  cloud: Cloud,
  data: AsyncIterable<Uint8Array>,
  digests: Digests,
  signal: AbortSignal,
): Promise<Image> {
  const { image: source, request, spec, context, scope } = needs;
  const name = runnerImageName(request.owner, spec);
  let verified = false;
  const { made: created, discard } = await createInScope(
    scope,
    `image ${name} in ${cloud.name}`,
    signal,
    async (patience) =>
      await createImage(
        cloud,
        {
          name,
          diskFormat: source.diskFormat ?? "qcow2",
          containerFormat: source.containerFormat ?? "bare",
          minDiskGb: source.minDiskGb,
          minRamMb: source.minRamMb,
          visibility: "private",
          tags: [],
          properties: copyProperties(needs, "upload"),
        },
        { signal: patience },
      ),
    async ({ id }, undoSignal) => {
      if (!verified) await deleteImage(cloud, id, { signal: undoSignal });
    },
  );
  context.journal.add({ event: "created", image: context.image, kind: "image", id: created.id, name });
  // another attempt, and the next build, must not find what did not become a copy
  await using _unverified = { [Symbol.asyncDispose]: async () => (verified ? undefined : await discard()) };
  // announced: Glance reads a body of known length faster than one in chunks
  const length = source.sizeBytes === null ? {} : { sizeBytes: source.sizeBytes };
  await uploadImage(cloud, created.id, data, { ...length, signal });
  const image = await waitForImage(cloud, created.id, { signal });
  const expected = image.hashAlgorithm === null ? null : await digests(image.hashAlgorithm);
  if (image.sizeBytes !== source.sizeBytes || image.hashValue === null || image.hashValue !== expected) {
    throw new AppError(
      `image ${image.id} in ${cloud.name} is not a true copy: ${image.sizeBytes} bytes, ${image.hashValue}, ` +
        `expected ${source.sizeBytes} bytes, ${expected}`,
    );
  }
  const set = { [TAG.role]: "runner" satisfies Role };
  const copy = await updateImageProperties(cloud, image.id, { set, remove: [] }, { signal });
  verified = true;
  return copy;
}
