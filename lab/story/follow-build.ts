/** Watching a detached build through its journal, as the charm does. */
import { readFile } from "node:fs/promises";
import { pause } from "../../src/base/deadline.ts";
import { AppError } from "../../src/base/errors.ts";
import { isMissing } from "../../src/base/files.ts";
import { readBuild, type Build } from "../../src/build/history.ts";
import { isRunning } from "../../src/build/process-id.ts";
import { readJournal, type JournalEvent } from "../../src/build/journal.ts";

const LOOK_MS = 200;

/** A build that has ended, and the most memory that its process was seen to hold (VmHWM, proc(5)). */
export interface Followed {
  readonly build: Build;
  readonly peakMemoryBytes: number;
}

/**
 * Passes on the events of the build in `folder` until its process is gone: after the last event it still wakes
 * the charm and waits for that.
 */
export async function followBuild(
  folder: string,
  onEvent: (event: JournalEvent) => void,
  signal: AbortSignal,
): Promise<Followed> {
  let seen = 0;
  let peakMemoryBytes = 0;
  for (;;) {
    const build = await readBuild(folder);
    if (build === null) throw new AppError(`there is no build in ${folder}`);
    const events = await readJournal(folder);
    for (const event of events.slice(seen)) onEvent(event);
    seen = events.length;
    const started = events.find((event) => event.event === "started");
    if (started !== undefined) {
      peakMemoryBytes = Math.max(peakMemoryBytes, await peakMemory(Number.parseInt(started.process, 10)));
    }
    const isUnderWay = build.state === "running" || build.state === "queued";
    if (!isUnderWay && (started === undefined || !(await isRunning(started.process)))) {
      return { build, peakMemoryBytes };
    }
    await pause(LOOK_MS, signal);
  }
}

async function peakMemory(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && "code" in error && error.code === "ESRCH")) return 0;
    throw error;
  }
}
