/** The base image in the build project: there already, or downloaded, verified and uploaded. */
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  createImage,
  deleteImage,
  listImages,
  mayStartAnew,
  uploadImage,
  waitForImage,
  type Cloud,
  type Image,
} from "../../openstack/index.ts";
import { seconds, waitFor } from "../../base/deadline.ts";
import { limitsWith } from "../../base/limits.ts";
import { retry } from "../../base/retry.ts";
import type { ResourceScope } from "../../base/scope.ts";
import { ubuntuKey } from "../base-images/signature.ts";
import { downloadBaseImage } from "../base-images/download.ts";
import { ARCH_NAMES, locateBaseImage, type BaseImage } from "../base-images.ts";
import { lockFile } from "../file-lock.ts";
import { POLL } from "../limits.ts";
import { baseImageName, isInherited, isOfApplication, ownerTags, TAG } from "../names.ts";
import type { StepContext } from "../step.ts";
import type { BuildRequest, ImageSpec } from "../types.ts";
import { createInScope } from "./create-in-scope.ts";

/** An upload that broke off begins again, with an image of its own. */
const UPLOADS = {
  attempts: 3,
  firstPauseMs: seconds(1),
  longestPauseMs: seconds(8),
  when: mayStartAnew,
};

/** What the step needs beside its signal. */
export interface BaseImageNeeds {
  readonly cloud: Cloud;
  readonly request: BuildRequest;
  readonly spec: ImageSpec;
  readonly downloads: string;
  readonly context: StepContext;
  /** Deletes an image whose upload failed. */
  readonly scope: ResourceScope;
  readonly onProgress: (done: number, total: number) => void;
  /** Armored key that signs the mirror's checksums; Ubuntu's by default. */
  readonly signingKey?: string;
}

/** The base image that the step prepared. */
export interface PreparedBaseImage {
  readonly image: Image;
  /** Ubuntu's number of this publication; null where the mirror does not tell. */
  readonly serial: string | null;
  readonly sha256: string;
}

/**
 * The active base image with the mirror's current content. Uploads it when this cloud has none with that
 * checksum, and then deletes our older ones; an upload that fails leaves no image behind. What another build of
 * this machine or another unit of the application is bringing is waited for, not brought twice.
 */
export async function prepareBaseImage(
  needs: BaseImageNeeds,
  signal: AbortSignal,
): Promise<PreparedBaseImage> {
  const { cloud, request, spec, context } = needs;
  const offered = await locateBaseImage(request, spec, needs.signingKey ?? (await ubuntuKey()), signal);
  const { url, serial, sha256 } = offered;
  if (!offered.isSigned) context.log.warn({ url }, "nobody signed the base image's checksum");
  const look = async (): Promise<Found> => await findOurs(needs, sha256, signal);
  let found = await look();
  let image = found.current;
  if (image === null) {
    // whoever else builds on this machine may be bringing the same file
    await using _alone = await lockFile(join(needs.downloads, `${sha256}.lock`), signal);
    const beganAt = performance.now();
    // what that cloud's clock says is believed for so long: it may be ahead of ours by any time
    const patienceMs = limitsWith(request.limits).baseImage / 2;
    found = await waitFor(signal, POLL.foreignUpload, async () => {
      const now = await look();
      return now.isComing && performance.now() - beganAt < patienceMs ? undefined : now;
    });
    image = found.current ?? (await download(needs, offered, signal));
  }
  const { ours } = found;
  const kept = image.id;
  const { owner, otherUnits } = request;
  const superseded = ours.filter(
    ({ id, properties }) => id !== kept && isInherited(properties, owner, otherUnits),
  );
  for (const old of superseded) {
    try {
      await deleteImage(cloud, old.id, { signal });
    } catch (error) {
      signal.throwIfAborted();
      // a server may still use it (Ceph clones); the next build tries again
      context.log.warn({ imageId: old.id, err: error }, "cannot delete an old base image");
    }
  }
  return { image, serial, sha256 };
}

interface Found {
  /** All of our base images of this kind, in any state. */
  readonly ours: readonly Image[];
  /** The one with the wanted content. */
  readonly current: Image | null;
  /** Whether another living unit of the application is uploading that content now. */
  readonly isComing: boolean;
}

async function findOurs(needs: BaseImageNeeds, sha256: string, signal: AbortSignal): Promise<Found> {
  const { cloud, request, spec } = needs;
  const name = baseImageName(request.owner, spec);
  const ours = (await listImages(cloud, { name, owner: cloud.projectId }, { signal })).filter(
    (image) => image.properties[TAG.role] === "base" && isOfApplication(image.properties, request.owner),
  );
  const wanted = ours.filter((image) => image.properties[TAG.sha256] === sha256);
  return {
    ours,
    current: wanted.find(({ status }) => status === "active") ?? null,
    isComing: wanted.some(
      ({ status, createdAt, properties }) =>
        (status === "queued" || status === "saving") &&
        request.otherUnits.includes(properties[TAG.unit] ?? "") &&
        Date.now() - createdAt.getTime() < limitsWith(request.limits).baseImage,
    ),
  };
}

async function download(needs: BaseImageNeeds, offered: BaseImage, signal: AbortSignal): Promise<Image> {
  const path = await downloadBaseImage(offered, needs.downloads, needs.onProgress, signal);
  try {
    return await retry(signal, UPLOADS, async () => await upload(needs, path, offered, signal));
  } finally {
    await rm(path, { force: true });
  }
}

async function upload(
  needs: BaseImageNeeds,
  path: string,
  { sha256, serial }: BaseImage,
  signal: AbortSignal,
): Promise<Image> {
  const { cloud, request, spec, context, scope } = needs;
  const name = baseImageName(request.owner, spec);
  const { size } = await stat(path);
  let verified = false;
  const { made: created, discard } = await createInScope(
    scope,
    `base image ${name}`,
    signal,
    async (patience) =>
      await createImage(
        cloud,
        {
          name,
          diskFormat: "qcow2",
          containerFormat: "bare",
          minDiskGb: 0,
          minRamMb: 0,
          visibility: "private",
          tags: [],
          properties: {
            ...ownerTags(request.owner, request.id, "base"),
            [TAG.base]: spec.base,
            [TAG.arch]: spec.arch,
            [TAG.sha256]: sha256,
            ...(serial === null ? {} : { [TAG.serial]: serial }),
            architecture: ARCH_NAMES[spec.arch].glance,
          },
        },
        { signal: patience },
      ),
    async ({ id }, undoSignal) => {
      if (!verified) await deleteImage(cloud, id, { signal: undoSignal });
    },
  );
  context.journal.add({ event: "created", image: context.image, kind: "image", id: created.id, name });
  await using _unverified = { [Symbol.asyncDispose]: async () => (verified ? undefined : await discard()) };
  const data = counted(createReadStream(path, { highWaterMark: 1 << 20 }), (sent) =>
    needs.onProgress(sent, size),
  );
  await uploadImage(cloud, created.id, data, {
    sizeBytes: size,
    signal,
  });
  const image = await waitForImage(cloud, created.id, { signal });
  verified = true;
  return image;
}

async function* counted(
  data: AsyncIterable<Uint8Array>,
  onProgress: (sent: number) => void,
): AsyncIterable<Uint8Array> {
  let sent = 0;
  for await (const chunk of data) {
    yield chunk;
    sent += chunk.length;
    onProgress(sent);
  }
}
