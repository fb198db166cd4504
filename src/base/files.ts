/** Files written whole or not at all. */
import { randomBytes } from "node:crypto";
import { access, chmod, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { asDiskFull } from "./disk-full.ts";
import { readProcessStat } from "./process-stat.ts";

/** The text of `path`, or `undefined` where there is no such file. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether there is something at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether `error` is the file system's "no such file or directory". */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Text that differs whenever the file at `path` was written, replaced or given another mode; null where there is none. */
export async function stampOf(path: string): Promise<string | null> {
  try {
    const { ino, size, mtimeMs, mode } = await stat(path);
    return [ino, size, mtimeMs, mode].join(" ");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * Writes `text` to `path` so that a reader, a crash or a power loss sees the old or the new file, never a
 * part: temporary file with `mode` from its first byte, fsync, rename, fsync of the folder. What writers that
 * were killed left of it goes. Throws DiskFullError when there is no room, and then the old file is whole.
 */
export async function writeAtomic(path: string, text: string, mode: number): Promise<void> {
  const writer = `${process.pid}-${(await startOf(process.pid)) ?? ""}`;
  const temporary = `${path}.${writer}-${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw asDiskFull(error, path) ?? error;
  }
  await removeTorn(path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes a file that {@link writeAtomic} wrote, if it is there, with what killed writers left of it. */
export async function removeAtomic(path: string): Promise<void> {
  await rm(path, { force: true });
  await removeTorn(path);
}

async function removeTorn(path: string): Promise<void> {
  const folder = dirname(path);
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const prefix = `${basename(path)}.`;
  for (const name of names) {
    const rest = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    const [, pid, start] = /^(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/.exec(rest) ?? [];
    // another process may have got the number since
    if (pid !== undefined && (await startOf(Number(pid))) !== start)
      await rm(join(folder, name), { force: true });
  }
}

/** Start of the process with that number; null for none and for a zombie, which writes no more, however late it is reaped. */
async function startOf(pid: number): Promise<string | null> {
  const found = await readProcessStat(pid);
  return found === null || found.state === "Z" ? null : found.start;
}

/** As {@link writeAtomic}, but only when the content differs; corrects the mode in any case. True when written. */
export async function writeIfChanged(path: string, text: string, mode: number): Promise<boolean> {
  if ((await readOptional(path)) === text) {
    await chmod(path, mode);
    await removeTorn(path);
    return false;
  }
  await writeAtomic(path, text, mode);
  return true;
}
