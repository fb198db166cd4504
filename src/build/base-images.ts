/**
 * Ubuntu's cloud images: where they are, and a verified local copy. Layout and names as on
 * https://cloud-images.ubuntu.com (`<codename>/current/<codename>-server-cloudimg-<arch>.img`, SHA256SUMS).
 */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../base/errors.ts";
import type { Arch, ImageSpec } from "./types.ts";

/** How Ubuntu's mirror, Glance and Debian's packages call an architecture. 32-bit ARM builds on the 64-bit image. */
export const ARCH_NAMES: Readonly<Record<Arch, { readonly mirror: string; readonly glance: string }>> = {
  x64: { mirror: "amd64", glance: "x86_64" },
  arm64: { mirror: "arm64", glance: "aarch64" },
  s390x: { mirror: "s390x", glance: "s390x" },
  ppc64le: { mirror: "ppc64el", glance: "ppc64le" },
  arm: { mirror: "arm64", glance: "aarch64" },
};

/** A base image that the mirror offers. */
export interface BaseImage {
  readonly url: string;
  /** Hex SHA-256 of the file, from the mirror's SHA256SUMS. */
  readonly sha256: string;
}

/** Finds `spec`'s base image on `mirror`; throws a sentence when the mirror does not list it. */
export async function locateBaseImage(
  mirror: string,
  spec: ImageSpec,
  signal: AbortSignal,
): Promise<BaseImage> {
  const folder = `${mirror.replace(/\/+$/, "")}/${spec.base}/current`;
  const file = `${spec.base}-server-cloudimg-${ARCH_NAMES[spec.arch].mirror}.img`;
  const sums = await (await get(`${folder}/SHA256SUMS`, signal)).text();
  const line = sums
    .split("\n")
    .map((text) => /^([0-9a-f]{64})[ \t]+\*?(.+)$/.exec(text.trim()))
    .find((match) => match?.[2] === file);
  if (line?.[1] === undefined) {
    throw new AppError(`base-image-mirror: ${folder}/SHA256SUMS does not list ${file}`);
  }
  return { url: `${folder}/${file}`, sha256: line[1] };
}

/**
 * Downloads `image` into `folder` and gives the file's path once its SHA-256 is right. The caller removes the
 * file. A wrong or partial file is removed here.
 */
export async function downloadBaseImage(
  image: BaseImage,
  folder: string,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const path = join(folder, `${image.sha256}.img`);
  const hash = createHash("sha256");
  const reply = await get(image.url, signal);
  const total = Number(reply.headers.get("content-length") ?? 0);
  let done = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      done += chunk.length;
      onProgress(done, total);
      callback(null, chunk);
    },
  });
  try {
    if (reply.body === null) throw new AppError(`base-image-mirror: ${image.url} is empty`);
    await pipeline(Readable.fromWeb(reply.body), measure, createWriteStream(path), { signal });
    const got = hash.digest("hex");
    if (got !== image.sha256) {
      throw new AppError(
        `base-image-mirror: the checksum of ${image.url} does not match: SHA256SUMS says ${image.sha256}, the file has ${got}`,
      );
    }
    return path;
  } catch (error) {
    await rm(path, { force: true });
    signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    throw new AppError(`base-image-mirror: the download of ${image.url} broke off`, { cause: error });
  }
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
  let reply: Response;
  try {
    reply = await fetch(url, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new AppError(`base-image-mirror: cannot reach ${url}`, { cause: error });
  }
  if (reply.ok) return reply;
  await reply.body?.cancel();
  throw new AppError(`base-image-mirror: ${url} answers HTTP ${reply.status}`);
}
