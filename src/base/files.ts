/** Files written whole or not at all. */
import { randomBytes } from "node:crypto";
import { chmod, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** The text of `path`, or `undefined` where there is no such file. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
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
 * part: temporary file with `mode` from its first byte, fsync, rename, fsync of the folder.
 */
export async function writeAtomic(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
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
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** As {@link writeAtomic}, but only when the content differs; corrects the mode in any case. True when written. */
export async function writeIfChanged(path: string, text: string, mode: number): Promise<boolean> {
  if ((await readOptional(path)) === text) {
    await chmod(path, mode);
    return false;
  }
  await writeAtomic(path, text, mode);
  return true;
}
