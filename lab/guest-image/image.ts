/**
 * The guest's base image: built once for each state of this folder, kept in a cache, and published in a
 * folder tree laid out as cloud-images.ubuntu.com, under the names of Ubuntu's cloud images.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { isMissing, readOptional, writeAtomic, writeIfChanged } from "../../src/base/files.ts";
import { runScript } from "../script.ts";
import type { ScriptOptions } from "../script.ts";

/** Ubuntu releases under whose names the image is served. */
export const CODENAMES = ["noble", "jammy"] as const;

/** Debian package of the guest's kernel; this one has no AHCI, the lab's guests have machine type pc. */
const KERNEL = "linux-image-cloud-amd64";
const SOURCE = dirname(fileURLToPath(import.meta.url));
const BUILD = join(SOURCE, "build.sh");

/** One build at a time; it first removes what a killed one left. */
const LOCKED_BUILD = `
exec 9>"$TMPDIR.lock"
flock 9
[ ! -e "$1" ] || exit 0
rm -rf --one-file-system "\${TMPDIR:?}"/*
exec unshare --mount bash "$2" "$1"`;

/** A cached image file. */
export interface GuestImage {
  readonly path: string;
  /** Hexadecimal, of the whole file. */
  readonly sha256: string;
}

/** The folder that the gateway serves as /cloud-images, below the cache folder `images`. */
export function mirrorFolder(images: string): string {
  return join(images, "mirror");
}

/**
 * The guest image of this source, built (about 40 s) where the folder `images` has none, and published in
 * {@link mirrorFolder}. Safe to call from several processes: one builds, the others wait for it.
 */
export async function ensureGuestImage(images: string, options: ScriptOptions): Promise<GuestImage> {
  const work = join(images, "work");
  await mkdir(work, { recursive: true });
  const path = join(images, `guest-${await sourceKey()}.qcow2`);
  const env = { ...options.env, KERNEL, TMPDIR: work };
  // A mount namespace of its own: when the build is killed, its mounts go with it.
  await runScript(["-c", LOCKED_BUILD, "guest-image", path, BUILD], { ...options, env });
  const sha256 = await rememberedDigest(path);
  for (const codename of CODENAMES) await publish(mirrorFolder(images), codename, { path, sha256 });
  return { path, sha256 };
}

/** Digest of everything that goes into a build: names, modes and bytes of this folder, and the kernel. */
async function sourceKey(): Promise<string> {
  const hash = createHash("sha256").update(KERNEL);
  const entries = await readdir(SOURCE, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  for (const file of files) {
    const executable = (((await stat(file)).mode & 0o100) !== 0).toString();
    hash.update(`\0${relative(SOURCE, file)}\0${executable}\0`).update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 16);
}

/** SHA-256 of a cached image, computed once and kept beside it. */
async function rememberedDigest(path: string): Promise<string> {
  const beside = `${path}.sha256`;
  const known = await readOptional(beside);
  if (known !== undefined) return known.trim();
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const digest = hash.digest("hex");
  await writeAtomic(beside, `${digest}\n`, 0o644);
  return digest;
}

/**
 * Puts `image` into `<mirror>/<codename>/<YYYYMMDD>/` (hard link and SHA256SUMS) and makes `current` a link
 * to that folder. The date is the day on which the image was built. Changes nothing where it is there.
 */
export async function publish(mirror: string, codename: string, image: GuestImage): Promise<void> {
  const name = `${codename}-server-cloudimg-amd64.img`;
  const built = (await stat(image.path)).mtime;
  const serial = built.toISOString().slice(0, 10).replaceAll("-", "");
  const folder = join(mirror, codename, serial);
  await mkdir(folder, { recursive: true });
  const target = join(folder, name);
  if ((await inodeOf(target)) !== (await inodeOf(image.path))) {
    const fresh = `${target}.${process.pid}.tmp`;
    await link(image.path, fresh);
    await rename(fresh, target);
  }
  await writeIfChanged(join(folder, "SHA256SUMS"), `${image.sha256} *${name}\n`, 0o644);
  await pointTo(join(mirror, codename, "current"), serial);
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function pointTo(path: string, target: string): Promise<void> {
  try {
    if ((await readlink(path)) === target) return;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const fresh = `${path}.${process.pid}.tmp`;
  await rm(fresh, { force: true });
  await symlink(target, fresh);
  await rename(fresh, path);
}
