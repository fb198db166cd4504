/** `.charm` files: zips, as Juju's agent unpacks them (juju/utils `zip`, contract 6.3). */
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { buffer } from "node:stream/consumers";
import { openPromise, type Entry } from "yauzl";
import { AppError } from "../../src/base/errors.ts";

/** One entry of a zip. */
export interface ZipEntry {
  /** Relative, without `..`, with forward slashes and without one at its end. */
  readonly path: string;
  /** `other`: a device, fifo or socket. */
  readonly kind: "file" | "folder" | "link" | "other";
  /** Permission bits; 0 in a zip that was made where there are none. */
  readonly mode: number;
  /** Year of its last change; 1979 where the date is empty, as of what was changed before 1980. */
  readonly year: number;
  /** Bytes when unpacked. */
  readonly size: number;
  /** The content, or a link's target; while this is the newest entry of its iteration only. */
  readonly read: () => Promise<Buffer>;
}

const KINDS: Readonly<Record<number, ZipEntry["kind"]>> = {
  0o000000: "file",
  0o040000: "folder",
  0o100000: "file",
  0o120000: "link",
};

/** The entries of a zip in their order. Throws for what is no zip, and for an absolute or escaping path. */
export async function* zipEntries(file: string): AsyncGenerator<ZipEntry> {
  const zip = await openPromise(file);
  try {
    for await (const entry of zip.eachEntry()) {
      yield describeEntry(entry, async () => await buffer(await zip.openReadStreamPromise(entry)));
    }
  } finally {
    zip.close();
  }
}

function describeEntry(entry: Entry, read: () => Promise<Buffer>): ZipEntry {
  const attributes = entry.externalFileAttributes >>> 16;
  const isFolder = entry.fileName.endsWith("/");
  return {
    path: isFolder ? entry.fileName.slice(0, -1) : entry.fileName,
    kind: isFolder ? "folder" : (KINDS[attributes & 0o170000] ?? "other"),
    mode: attributes & 0o777,
    year: entry.lastModFileDate === 0 ? 1979 : 1980 + (entry.lastModFileDate >> 9),
    size: entry.uncompressedSize,
    read,
  };
}

/** Whether a link at `path` to `target` stays in the charm's folder. */
export function staysInside(path: string, target: string): boolean {
  return !isAbsolute(target) && !/^\.\.(\/|$)/.test(normalize(join(dirname(path), target)));
}

/** Unpacks a charm file into `folder`, which is made: with the modes and links in it. Throws for what Juju refuses. */
export async function unpackCharm(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for await (const { path, kind, mode, read } of zipEntries(file)) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    if (kind === "other") throw new AppError(`cannot unpack ${path} of ${file}: unknown file type`);
    if (kind === "folder") {
      await mkdir(target, { recursive: true });
      continue;
    }
    // a running program keeps its file
    await rm(target, { force: true });
    if (kind === "file") {
      await writeFile(target, await read(), { flag: "wx" });
      await chmod(target, mode);
      continue;
    }
    const aim = (await read()).toString("utf8");
    if (!staysInside(path, aim)) {
      throw new AppError(
        `cannot unpack ${path} of ${file}: symlink "${aim}" is absolute or leads out of the charm`,
      );
    }
    await symlink(aim, target);
  }
}
