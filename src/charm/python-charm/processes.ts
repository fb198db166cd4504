/** Builds of the Python charm that outlived the hook they ran in: they would upload and prune by its rules. */
import { readdir, readFile } from "node:fs/promises";
import { seconds, waitFor } from "../../base/deadline.ts";
import { isMissing } from "../../base/files.ts";
import { isRunning, processIdentity } from "../../build/process-id.ts";

/** Python ends at once on SIGTERM; what does not is killed. */
const ENDING_MS = seconds(5);
const LOOK_MS = seconds(0.1);

/** Ends all processes that run the command `run` of `program` (proc(5), cmdline); gives their process ids. */
export async function endBuildsOf(program: string): Promise<readonly number[]> {
  const found = await buildsOf(program);
  for (const { pid } of found) send(pid, "SIGTERM");
  for (const { pid, identity } of found) {
    const limit = AbortSignal.timeout(ENDING_MS);
    try {
      await waitFor(limit, LOOK_MS, async () => ((await isRunning(identity)) ? undefined : true));
    } catch (error) {
      if (!limit.aborted) throw error;
      // the number may be another process's by now
      if (await isRunning(identity)) send(pid, "SIGKILL");
    }
  }
  return found.map(({ pid }) => pid);
}

async function buildsOf(
  program: string,
): Promise<readonly { readonly pid: number; readonly identity: string }[]> {
  const found: { readonly pid: number; readonly identity: string }[] = [];
  for (const name of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const pid = Number(name);
    const words = await commandOf(pid);
    const at = words.indexOf(program);
    if (at < 0 || !words.includes("run", at + 1) || pid === process.pid) continue;
    const identity = await processIdentity(pid);
    if (identity !== null) found.push({ pid, identity });
  }
  return found;
}

async function commandOf(pid: number): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** The process ended meanwhile (ESRCH), or its folder has gone. */
function isGone(error: unknown): boolean {
  return isMissing(error) || (error instanceof Error && "code" in error && error.code === "ESRCH");
}
