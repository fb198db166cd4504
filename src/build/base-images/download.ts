/** A verified local copy of a base image; what a broken download brought is kept, and the next one goes on there. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { seconds } from "../../base/deadline.ts";
import { AppError } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";
import { get, HttpError, type HttpReply } from "../../base/http.ts";
import { retry } from "../../base/retry.ts";
import type { BaseImage } from "../base-images.ts";

/** A download that broke off goes on so often before the build fails; the next build goes on again. */
const RETRIES = { attempts: 4, firstPauseMs: seconds(1), longestPauseMs: seconds(8) };
/** Half-downloaded files that nobody came back to. */
const FORGOTTEN_MS = 24 * 3_600_000;

/** More than any of Ubuntu's images, and less than what fills a unit's disk for long. */
const LARGEST_IMAGE = 16 * 2 ** 30;

/** What came is kept, and asking again may help. */
const brokenOff = (sentence: string, options?: ErrorOptions): HttpError =>
  new HttpError(`base-image-mirror: ${sentence}`, true, options);

/**
 * Downloads `image` into `folder` and gives the file's path once its SHA-256 is right. The caller removes the file,
 * and sees to it that nobody else downloads the same one into this folder. A download that breaks off is gone on
 * with, here and in later builds; a file with another SHA-256 is removed.
 */
export async function downloadBaseImage(
  image: Pick<BaseImage, "url" | "sha256">,
  folder: string,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const part = join(folder, `${image.sha256}.part`);
  await forgetOthers(folder, part);
  const policy = { ...RETRIES, when: (error: unknown) => error instanceof HttpError && error.isTransient };
  const got = await retry(signal, policy, async () => await goOn(image, part, onProgress, signal));
  if (got !== image.sha256) {
    await rm(part, { force: true });
    throw new AppError(
      `base-image-mirror: the checksum of ${image.url} does not match: SHA256SUMS says ${image.sha256}, the file has ${got}`,
    );
  }
  const path = join(folder, `${image.sha256}.img`);
  await rename(part, path);
  return path;
}

/** Brings what `part` lacks and gives the SHA-256 of the whole. */
async function goOn(
  image: Pick<BaseImage, "url" | "sha256">,
  part: string,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const { url } = image;
  const have = await sizeOf(part);
  await using reply = await ask(url, have, signal);
  if (reply.status === 416) {
    // what the mirror says to a file that is complete, or longer than this one
    const digest = (await hashOf(part)).digest("hex");
    if (digest === image.sha256) return digest;
    await rm(part, { force: true });
    throw brokenOff(`${url} has less than ${have} bytes`);
  }
  // a mirror without ranges begins anew
  const start = reply.status === 206 ? startOf(reply) : 0;
  if (start !== 0 && start !== have) {
    await rm(part, { force: true });
    throw brokenOff(`${url} does not go on at byte ${have}`);
  }
  const hash = start === 0 ? createHash("sha256") : await hashOf(part);
  const total = start + Number(reply.header("content-length") ?? 0);
  if (total > LARGEST_IMAGE) throw tooLarge(url);
  let done = start;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      done += chunk.length;
      onProgress(done, total);
      callback(done > LARGEST_IMAGE ? tooLarge(url) : null, chunk);
    },
  });
  try {
    const file = createWriteStream(part, { flags: start === 0 ? "w" : "a" });
    await pipeline(reply.chunks(), measure, file, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") {
      await rm(part, { force: true });
      throw new AppError(`the disk is full: ${url} needs ${total} bytes beside ${part}; free some`, {
        cause: error,
      });
    }
    if (error instanceof HttpError && !error.isTransient) await rm(part, { force: true });
    throw error;
  }
  return hash.digest("hex");
}

async function ask(url: string, have: number, signal: AbortSignal): Promise<HttpReply> {
  const reply = await get({ option: "base-image-mirror", url }, signal, have);
  if (reply.isOk || reply.status === 416) return reply;
  await reply[Symbol.asyncDispose]();
  throw new HttpError(`base-image-mirror: ${url} answers HTTP ${reply.status}`, reply.status >= 500);
}

function tooLarge(url: string): HttpError {
  return new HttpError(`base-image-mirror: ${url} is larger than ${LARGEST_IMAGE / 2 ** 30} GiB`, false);
}

/** First byte of a partial reply (RFC 9110, 14.4). */
function startOf(reply: HttpReply): number {
  return Number(/^bytes (\d+)-/.exec(reply.header("content-range") ?? "")?.[1] ?? -1);
}

async function hashOf(path: string): Promise<Hash> {
  const hash = createHash("sha256");
  if ((await sizeOf(path)) > 0)
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function forgetOthers(folder: string, ours: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!/\.(part|img)$/.test(name) || path === ours) continue;
    try {
      if (Date.now() - (await stat(path)).mtimeMs > FORGOTTEN_MS) await rm(path, { force: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}
