/** A lock that builds of one machine hold against each other; it ends with its process. */
import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { seconds, waitFor } from "../base/deadline.ts";
import { isMissing, readOptional } from "../base/files.ts";
import { isRunning, processIdentity } from "./process-id.ts";

const LOOK_MS = seconds(0.5);

/**
 * Waits until nobody else holds the lock `path` and takes it; disposing gives it back. A holder whose process is gone
 * holds it no more. Throws the signal's reason when that fires first.
 */
export async function lockFile(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const identity = (await processIdentity(process.pid)) ?? "";
  // two holders in one process are told apart by the second line
  const ours = `${identity}\n${randomBytes(8).toString("hex")}\n`;
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  await writeFile(draft, ours, { mode: 0o600 });
  try {
    await waitFor(signal, LOOK_MS, async () => {
      if (await linked(draft, path)) return true;
      await dropDead(path);
      return undefined;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return {
    async [Symbol.asyncDispose]() {
      // somebody who took us for dead has it now
      if ((await readOptional(path)) === ours) await rm(path, { force: true });
    },
  };
}

/** Makes `path` a second name of `draft`, in one step with all of its content; false when there is such a file. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Removes the lock of a process that is gone; one that a living process took meanwhile is put back. */
async function dropDead(path: string): Promise<void> {
  const seen = await readOptional(path);
  if (seen === undefined || (await isRunning(seen.split("\n")[0] ?? ""))) return;
  const aside = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== seen) await linked(aside, path);
    await rm(aside);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
