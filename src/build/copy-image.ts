/** From an image that exists to verified copies, in a build's last step or instead of a build. */
import { AppError, describe } from "../base/errors.ts";
import { limitsWith } from "../base/limits.ts";
import type { ResourceScope } from "../base/scope.ts";
import { deleteImage, getImage, type Cloud, type Image } from "../openstack/index.ts";
import type { Targets } from "./build-image.ts";
import { isOfApplication, TAG } from "./names.ts";
import { progressOf, step, UPLOAD, type StepContext } from "./step.ts";
import { uploadAll, uploadError } from "./steps/upload.ts";
import { specName, type Artifact, type BuildRequest, type ImageSpec, type Source } from "./types.ts";

/** The copies that were made. `failed` names the targets that got none beside good ones. */
export interface Copied {
  readonly artifacts: readonly Artifact[];
  readonly failed: AppError | null;
}

/** What is copied. */
export interface CopySource {
  readonly cloud: Cloud;
  readonly image: Image;
  /** Of a snapshot: takes it from the scope that would delete it. */
  readonly keep: () => void;
  /** The build that made the content. */
  readonly revision: string;
}

/** What all copies of one image share. */
export interface CopyContext {
  readonly request: BuildRequest;
  readonly spec: ImageSpec;
  readonly context: StepContext;
  readonly scope: ResourceScope;
}

/** Brings the source to all clouds that are targets now. Throws when none got it. */
export async function copyToTargets(
  { cloud: source, image, keep, revision }: CopySource,
  common: CopyContext,
  openTargets: (signal: AbortSignal) => Promise<Targets>,
): Promise<Copied> {
  const { context, request } = common;
  const name = UPLOAD;
  return await step(context, name, limitsWith(request.limits).upload, async (limit) => {
    const targets = await openTargets(limit);
    context.journal.add({ event: "targets", image: context.image, clouds: [...targets.names] });
    const onProgress = progressOf(context, name);
    const needs = { ...common, source, image, keep, revision, targets: targets.clouds, onProgress };
    const { artifacts, failures } = await uploadAll(needs, limit);
    const failed = [
      ...targets.failures,
      ...failures.map(({ cloud, error }) => ({ cloud: cloud.name, error: describe(error) })),
    ];
    for (const target of failed)
      context.journal.add({ event: "upload-failed", image: context.image, ...target });
    const texts = failed.map(({ cloud, error }) => `${cloud}: ${error}`);
    if (artifacts.length === 0) throw uploadError(texts);
    return { artifacts, failed: texts.length === 0 ? null : uploadError(texts) };
  });
}

/**
 * Copies the best of the request's sources of `spec` to the targets that have not got it. Null when none of them is
 * there any more, whole and ours: then the image is to be built.
 */
export async function copyImage(
  common: CopyContext,
  openSource: (name: string, signal: AbortSignal) => Promise<Cloud>,
  openTargets: (signal: AbortSignal) => Promise<Targets>,
): Promise<Copied | null> {
  const { request, spec, context, scope } = common;
  const wanted = request.sources.filter((source) => specName(source.spec) === specName(spec));
  const found = await step(
    context,
    "find an image to copy",
    limitsWith(request.limits).choose,
    async (limit) => {
      const usable: { readonly from: Source; readonly cloud: Cloud; readonly image: Image }[] = [];
      for (const from of wanted) {
        try {
          const cloud = await openSource(from.cloud, limit);
          const image = await getImage(cloud, from.imageId, { signal: limit });
          if (isWhole(image, request)) usable.push({ from, cloud, image });
          else
            context.log.warn(
              { cloud: from.cloud, image: from.imageId },
              "not to be copied: not whole, or not ours",
            );
        } catch (error) {
          limit.throwIfAborted();
          context.log.warn({ cloud: from.cloud, image: from.imageId, err: error }, "cannot be copied");
        }
      }
      return usable;
    },
  );
  const [best] = found;
  if (best === undefined) return null;
  const { from, cloud, image } = best;
  // an interrupted build has reached some targets: what is there is not brought again
  const served = new Set(
    found
      .filter((one) => one.from.buildId === from.buildId && one.image.properties[TAG.role] === "runner")
      .map((one) => one.from.cloud),
  );
  let isKept = image.properties[TAG.role] === "runner";
  for (const { from: other, cloud: where, image: left } of found) {
    if (left.properties[TAG.role] !== "snapshot") continue;
    scope.defer(`snapshot ${left.name}`, async (signal) => {
      if (!(isKept && left.id === from.imageId)) await deleteImage(where, other.imageId, { signal });
    });
  }
  const open = async (signal: AbortSignal): Promise<Targets> => {
    const targets = await openTargets(signal);
    return { ...targets, clouds: targets.clouds.filter((target) => !served.has(target.name)) };
  };
  const keep = (): void => {
    isKept = true;
  };
  const { names, clouds, failures } = await step(
    context,
    "sign in to the target clouds",
    limitsWith(request.limits).signIn,
    open,
  );
  if (clouds.length + failures.length === 0) {
    context.journal.add({ event: "targets", image: context.image, clouds: [...names] });
    return { artifacts: [], failed: null };
  }
  return await copyToTargets({ cloud, image, keep, revision: from.buildId }, common, open);
}

/** Whether `image` is a verified copy or a finished snapshot of our application. */
function isWhole({ status, properties }: Image, { owner }: BuildRequest): boolean {
  const { [TAG.role]: role } = properties;
  return (
    status === "active" &&
    isOfApplication(properties, owner) &&
    (role === "runner" || (role === "snapshot" && TAG.recipe in properties))
  );
}
