/** The snapshot, streamed once, into the project of every target; each copy verified. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { AppError, asError } from "../../base/errors.ts";
import {
  createImage,
  deleteImage,
  downloadImage,
  uploadImage,
  waitForImage,
  type Cloud,
  type Image,
} from "../../openstack/index.ts";
import type { ResourceScope } from "../../base/scope.ts";
import { ARCH_NAMES } from "../base-images.ts";
import { fanOut } from "../fan-out.ts";
import { ownerTags, runnerImageName, TAG } from "../names.ts";
import type { StepContext } from "../step.ts";
import type { Artifact, BuildRequest, ImageSpec } from "../types.ts";
import { createInScope } from "./create-in-scope.ts";

/** Properties of the snapshot that describe the disk's content and so belong on every copy. */
const CARRIED = /^(hw_.+|os_type|os_distro|os_version|os_admin_user|os_require_quiesce)$/;

/** Times that the snapshot is streamed: once, and once more for the targets that failed. */
const ROUNDS = 2;

/** What an upload needs beside its signal. */
export interface UploadNeeds {
  readonly source: Cloud;
  readonly snapshot: Image;
  readonly targets: readonly Cloud[];
  readonly request: BuildRequest;
  readonly spec: ImageSpec;
  /** What the copies say of their contents, by property. */
  readonly properties: Readonly<Record<string, string>>;
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

/** Copies the snapshot into all targets. One target's failure neither stops nor undoes another's. */
export async function uploadAll(needs: UploadNeeds, signal: AbortSignal): Promise<UploadResult> {
  const artifacts: Artifact[] = [];
  let failures: { cloud: Cloud; error: Error }[] = [];
  let open = needs.targets;
  for (let round = 1; round <= ROUNDS && open.length > 0; round += 1) {
    const results = await streamTo(needs, open, signal);
    failures = [];
    for (const [index, result] of results.entries()) {
      const cloud = open[index] as Cloud;
      if (result.status === "fulfilled") artifacts.push(result.value);
      else failures.push({ cloud, error: asError(result.reason) });
    }
    signal.throwIfAborted();
    open = failures.map(({ cloud }) => cloud);
    for (const { cloud, error } of failures) {
      needs.context.log.warn({ cloud: cloud.name, round, err: error }, "upload failed");
    }
  }
  return { artifacts, failures };
}

async function streamTo(
  needs: UploadNeeds,
  targets: readonly Cloud[],
  signal: AbortSignal,
): Promise<PromiseSettledResult<Artifact>[]> {
  const { snapshot } = needs;
  const total = snapshot.sizeBytes ?? 0;
  const hash = createHash(snapshot.hashAlgorithm ?? "sha512");
  let bytes = 0;
  const { branches, done } = fanOut(
    await downloadImage(needs.source, snapshot.id, { signal }),
    targets.length,
    (chunk) => {
      hash.update(chunk);
      bytes += chunk.byteLength;
      needs.onProgress(bytes, total);
    },
  );
  const results = Promise.allSettled(
    targets.map(async (cloud, index) => await uploadOne(needs, cloud, branches[index] as Readable, signal)),
  );
  try {
    await done;
  } catch (error) {
    // every branch was destroyed with this error, so each target reports it
    needs.context.log.warn({ err: error }, "the snapshot's stream broke");
  }
  const settled = await results;
  if (bytes === total && snapshot.hashValue !== null && hash.digest("hex") !== snapshot.hashValue) {
    throw new AppError(`the data of snapshot ${snapshot.id} does not match the hash that Glance has for it`);
  }
  return settled;
}

async function uploadOne(
  needs: UploadNeeds,
  cloud: Cloud,
  data: Readable,
  signal: AbortSignal,
): Promise<Artifact> {
  const { snapshot, request, spec, context, scope } = needs;
  // a branch that nobody reads any more must not hold up the others
  using _branch = { [Symbol.dispose]: () => void data.destroy() };
  const carried = Object.entries(snapshot.properties).filter(([name]) => CARRIED.test(name));
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
          diskFormat: snapshot.diskFormat ?? "qcow2",
          containerFormat: snapshot.containerFormat ?? "bare",
          minDiskGb: snapshot.minDiskGb,
          minRamMb: snapshot.minRamMb,
          visibility: "private",
          tags: [],
          properties: {
            ...Object.fromEntries(carried),
            ...ownerTags(request.owner, request.id, "runner"),
            architecture: ARCH_NAMES[spec.arch].glance,
            [TAG.base]: spec.base,
            [TAG.arch]: spec.arch,
            ...needs.properties,
            [TAG.created]: new Date().toISOString(),
          },
        },
        { signal: patience },
      ),
    async ({ id }, undoSignal) => {
      if (!verified) await deleteImage(cloud, id, { signal: undoSignal });
    },
  );
  context.journal.add({ event: "created", image: context.image, kind: "image", id: created.id, name });
  // another round, and the next build, must not find what did not become a copy
  await using _unverified = { [Symbol.asyncDispose]: async () => (verified ? undefined : await discard()) };
  await uploadImage(cloud, created.id, data, { signal });
  const image = await waitForImage(cloud, created.id, { signal });
  if (image.sizeBytes !== snapshot.sizeBytes || image.hashValue !== snapshot.hashValue) {
    throw new AppError(
      `image ${image.id} in ${cloud.name} is not a true copy: ${image.sizeBytes} bytes, ${image.hashValue}, ` +
        `expected ${snapshot.sizeBytes} bytes, ${snapshot.hashValue}`,
    );
  }
  verified = true;
  const artifact = {
    spec,
    cloud: cloud.name,
    imageId: image.id,
    sizeBytes: image.sizeBytes ?? 0,
    hash: `${image.hashAlgorithm}:${image.hashValue}`,
  };
  context.journal.add({ event: "artifact", ...artifact });
  return { ...artifact, buildId: request.id, createdAt: image.createdAt.toISOString() };
}
