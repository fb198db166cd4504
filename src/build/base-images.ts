/**
 * Ubuntu's cloud images: where they are, and who says so. Layout and names as on
 * https://cloud-images.ubuntu.com (`<codename>/current/<codename>-server-cloudimg-<arch>.img`, SHA256SUMS).
 */
import { AppError } from "../base/errors.ts";
import { bodyOf, get } from "../base/http.ts";
import { verifySignature } from "./base-images/signature.ts";
import type { Arch, ImageSpec } from "./types.ts";

/** How Ubuntu's mirror, Glance and Debian's packages call an architecture. 32-bit ARM builds on the 64-bit image. */
export const ARCH_NAMES: Readonly<Record<Arch, { readonly mirror: string; readonly glance: string }>> = {
  x64: { mirror: "amd64", glance: "x86_64" },
  arm64: { mirror: "arm64", glance: "aarch64" },
  s390x: { mirror: "s390x", glance: "s390x" },
  ppc64le: { mirror: "ppc64el", glance: "ppc64le" },
  arm: { mirror: "arm64", glance: "aarch64" },
};

/** A list of checksums, a signature or a note of the mirror that is larger is none. */
const LONGEST_LIST = 1 << 20;

/** Where to look for base images. */
export interface ImageSource {
  readonly baseImageMirror: string;
  /** Such as 20260321; empty for the newest. */
  readonly baseImageSerial: string;
  /** Whether an unsigned list is refused; a wrong signature always is. */
  readonly requireSignature: boolean;
}

/** A base image that the mirror offers. */
export interface BaseImage {
  readonly url: string;
  /** Hex SHA-256 of the file, from the mirror's SHA256SUMS. */
  readonly sha256: string;
  /** Ubuntu's number of this publication; null where the mirror does not tell. */
  readonly serial: string | null;
  /** Whether the list of checksums is signed by the key. */
  readonly isSigned: boolean;
}

/**
 * Finds `spec`'s base image and checks who signed its checksum, with `signingKey` (armored). A pinned serial that
 * is no longer among the daily images is taken from `releases/`. Throws a sentence when the mirror does not list
 * it, and for a signature that is wrong, or missing though required.
 */
export async function locateBaseImage(
  source: ImageSource,
  spec: ImageSpec,
  signingKey: string,
  signal: AbortSignal,
): Promise<BaseImage> {
  const mirror = source.baseImageMirror.replace(/\/+$/, "");
  const { baseImageSerial: pinned, requireSignature } = source;
  const arch = ARCH_NAMES[spec.arch].mirror;
  const daily = `${spec.base}-server-cloudimg-${arch}.img`;
  let folder = `${mirror}/${spec.base}/${pinned === "" ? "current" : pinned}`;
  let sums = await read(`${folder}/SHA256SUMS`, signal);
  let isWanted = (file: string): boolean => file === daily;
  if (sums === null && pinned !== "") {
    const kept = `${mirror}/releases/${spec.base}/release-${pinned}`;
    sums = await read(`${kept}/SHA256SUMS`, signal);
    if (sums === null) {
      throw new AppError(
        `base-image-serial: ${mirror} has no ${spec.base} of ${pinned}, neither in ${folder} nor in ${kept}`,
      );
    }
    folder = kept;
    isWanted = (file) => file.startsWith("ubuntu-") && file.endsWith(`-server-cloudimg-${arch}.img`);
  }
  if (sums === null) throw new AppError(`base-image-mirror: ${folder}/SHA256SUMS answers HTTP 404`);
  const isSigned = await checkSignature(sums, folder, requireSignature, signingKey, signal);
  const [, sha256, file] =
    sums
      .toString("utf8")
      .split("\n")
      .map((text) => /^([0-9a-f]{64})[ \t]+\*?(.+)$/.exec(text.trim()))
      .find((match) => match?.[2] !== undefined && isWanted(match[2])) ?? [];
  if (sha256 === undefined || file === undefined) {
    throw new AppError(`base-image-mirror: ${folder}/SHA256SUMS does not list ${daily}`);
  }
  const serial = pinned === "" ? await serialOf(folder, signal) : pinned;
  return { url: `${folder}/${file}`, sha256, serial, isSigned };
}

/** Whether there is a signature, which is good then. */
async function checkSignature(
  sums: Uint8Array,
  folder: string,
  required: boolean,
  key: string,
  signal: AbortSignal,
): Promise<boolean> {
  const url = `${folder}/SHA256SUMS.gpg`;
  const signature = await read(url, signal);
  if (signature === null) {
    if (!required) return false;
    throw new AppError(
      `base-image-require-signature: ${folder}/SHA256SUMS has no signature; set base-image-mirror to one that has SHA256SUMS.gpg, or this option to false`,
    );
  }
  try {
    await verifySignature(sums, signature, key, url);
  } catch (error) {
    if (error instanceof AppError)
      throw new AppError(`base-image-mirror: ${error.message}`, { cause: error });
    throw error;
  }
  return true;
}

async function serialOf(folder: string, signal: AbortSignal): Promise<string | null> {
  const url = `${folder}/unpacked/build-info.txt`;
  const text = await read(url, signal);
  return /^serial=(\d{8}(?:\.\d+)?)\s*$/m.exec(text?.toString("utf8") ?? "")?.[1] ?? null;
}

/** The text or signature at `url`; null when the mirror has no such file. */
async function read(url: string, signal: AbortSignal): Promise<Buffer | null> {
  const address = { option: "base-image-mirror", url };
  await using reply = await get(address, signal);
  if (reply.isOk) return await bodyOf(reply, address, LONGEST_LIST);
  if (reply.status === 404) return null;
  throw new AppError(`base-image-mirror: ${url} answers HTTP ${reply.status}`);
}
