/** An image, read once and streamed into the project of every target; each copy verified. */
import { pause, seconds } from "../../base/deadline.ts";
import { AppError, asError } from "../../base/errors.ts";
import { mapLimit } from "../../base/limit.ts";
import type { ResourceScope } from "../../base/scope.ts";
import {
  downloadImage,
  mayStartAnew,
  OpenStackError,
  updateImageProperties,
  type Cloud,
  type Image,
} from "../../openstack/index.ts";
import { fanOut, resuming, type Branch, type Source } from "../fan-out.ts";
import { runnerImageName, TAG } from "../names.ts";
import type { StepContext } from "../step.ts";
import type { Artifact, BuildRequest, ImageSpec } from "../types.ts";
import { copyInto, copyProperties, digestsOf, type Digests } from "./copy.ts";

/** Times that a target is tried: on the common stream, then alone. */
const ATTEMPTS = 3;
const PAUSE_MS = seconds(2);

/** What an upload needs beside its signal. */
export interface UploadNeeds {
  readonly source: Cloud;
  /** What is copied: a snapshot, or a verified copy. */
  readonly image: Image;
  /** Of a snapshot: takes it from the scope that would delete it. */
  readonly keep: () => void;
  readonly targets: readonly Cloud[];
  readonly request: BuildRequest;
  readonly spec: ImageSpec;
  /** The build that made the content. */
  readonly revision: string;
  readonly context: StepContext;
  /** Deletes the images that did not become copies. */
  readonly scope: ResourceScope;
  readonly onProgress: (done: number, total: number) => void;
}

/** What came of it, per target. */
export interface UploadResult {
  readonly artifacts: readonly Artifact[];
  readonly failures: readonly { readonly cloud: Cloud; readonly error: Error }[];
}

/**
 * Copies the image into all targets. One target's failure neither stops nor undoes another's. Targets that are one
 * project share one copy; in the image's own project it becomes the copy itself.
 */
export async function uploadAll(needs: UploadNeeds, signal: AbortSignal): Promise<UploadResult> {
  const groups = Map.groupBy(needs.targets, projectOf);
  const own = groups.get(projectOf(needs.source)) ?? [];
  groups.delete(projectOf(needs.source));
  const places = [...groups.values()];
  const artifacts: Artifact[] = [];
  const failures: { cloud: Cloud; error: Error }[] = [];
  const settle = (clouds: readonly Cloud[], result: PromiseSettledResult<Image>): void => {
    for (const cloud of clouds) {
      if (result.status === "fulfilled") artifacts.push(record(needs, cloud, result.value));
      else failures.push({ cloud, error: asError(result.reason) });
    }
  };

  const source = sourceOf(needs);
  const digests = digestsOf(needs.image, source, signal);
  const branches = fanOut(source, places.length, signal);
  const done = places.map(() => 0);
  const size = needs.image.sizeBytes ?? 0;
  const progress = (place: number, bytes: number): void => {
    done[place] = bytes;
    const sum = done.reduce((total, one) => total + one, 0);
    needs.onProgress(Math.floor(sum / places.length), size);
  };
  await mapLimit(places, places.length, async (clouds, place) => {
    const [result] = await Promise.allSettled([
      uploadTo(
        needs,
        clouds,
        branches[place] as Branch,
        source,
        digests,
        (bytes) => progress(place, bytes),
        signal,
      ),
    ]);
    // at once: what is verified must not wait for a slower cloud to be known
    settle(clouds, result);
  });
  signal.throwIfAborted();
  // last: until here the snapshot is what the others are made from
  if (own.length > 0) {
    const [result] = await Promise.allSettled([becomeCopy(needs, signal)]);
    settle(own, result);
  }
  signal.throwIfAborted();
  return { artifacts, failures };
}

const projectOf = (cloud: Cloud): string => `${cloud.authUrl} ${cloud.projectId}`;

function sourceOf({ source, image }: UploadNeeds): Source {
  return {
    openAt: async (from, signal) => await downloadImage(source, image.id, { from, signal }),
    mayResume: mayPass,
  };
}

/** Whether another try may go better: what a service refuses for good, it refuses again. */
function mayPass(error: unknown): boolean {
  return !(error instanceof OpenStackError) || mayStartAnew(error);
}

async function uploadTo(
  needs: UploadNeeds,
  clouds: readonly Cloud[],
  branch: Branch,
  source: Source,
  digests: Digests,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Image> {
  // a branch that nobody reads any more must not hold up the others
  using shared = branch;
  const [cloud] = clouds as readonly [Cloud];
  const { log } = needs.context;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const data = attempt === 1 ? shared.data : resuming(source, 0, signal);
      return await copyInto(needs, cloud, counted(data, onBytes), digests, signal);
    } catch (error) {
      signal.throwIfAborted();
      shared[Symbol.dispose]();
      log.warn({ cloud: cloud.name, attempt, err: error }, "upload failed");
      if (attempt === ATTEMPTS || !mayPass(error)) throw error;
      await pause(PAUSE_MS * attempt, signal);
    } finally {
      if (attempt === 1 && shared.isDetached())
        log.info({ cloud: cloud.name }, "too slow for the common stream; went on with one of its own");
    }
  }
}

async function* counted(
  data: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of data) {
    yield chunk;
    bytes += chunk.byteLength;
    onBytes(bytes);
  }
}

/** Makes the image the copy of its own project: a snapshot gets a copy's name and properties, a copy is one. */
async function becomeCopy(needs: UploadNeeds, signal: AbortSignal): Promise<Image> {
  const { source, image, request, spec } = needs;
  if (image.properties[TAG.role] === "runner") return image;
  const name = runnerImageName(request.owner, spec);
  const set = copyProperties(needs, "runner");
  const copy = await updateImageProperties(source, image.id, { set, remove: [], name }, { signal });
  needs.keep();
  return copy;
}

function record(needs: UploadNeeds, cloud: Cloud, image: Image): Artifact {
  const { spec, request, revision, context } = needs;
  const artifact = {
    spec,
    cloud: cloud.name,
    imageId: image.id,
    sizeBytes: image.sizeBytes ?? 0,
    hash: `${image.hashAlgorithm}:${image.hashValue}`,
  };
  const build = revision === request.id ? {} : { build: revision };
  context.journal.add({ event: "artifact", ...artifact, ...build });
  return { ...artifact, buildId: revision, createdAt: image.createdAt.toISOString() };
}

/** The error of targets that got no copy, a sentence each. */
export function uploadError(failures: readonly string[]): AppError {
  return new AppError(
    failures.length === 0 ? "there is no target cloud" : `no copy in ${failures.join("; ")}`,
  );
}
