/** Watching a detached build through its journal, as the charm does. */
import { readFile } from "node:fs/promises";
import { pause } from "../../src/base/deadline.ts";
import { AppError } from "../../src/base/errors.ts";
import { isMissing } from "../../src/base/files.ts";
import { readBuild, type Build } from "../../src/build/history.ts";
import { isRunning } from "../../src/build/process-id.ts";
import { readJournal, type JournalEvent } from "../../src/build/journal.ts";

const LOOK_MS = 200;

/** What was seen of a process (proc(5)). */
interface Seen {
  /** Its words. */
  readonly command: readonly string[];
  /** The most memory that it held (VmHWM). */
  readonly peakMemoryBytes: number;
}

/** A build that has ended, and what was seen of its process. */
export interface Followed extends Seen {
  readonly build: Build;
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
  let builder: Seen = { command: [], peakMemoryBytes: 0 };
  for (;;) {
    const build = await readBuild(folder);
    if (build === null) throw new AppError(`there is no build in ${folder}`);
    const events = await readJournal(folder);
    for (const event of events.slice(seen)) onEvent(event);
    seen = events.length;
    const started = events.find((event) => event.event === "started");
    if (started !== undefined) {
      builder = (await look(Number.parseInt(started.process, 10))) ?? builder;
    }
    const isUnderWay = build.state === "running" || build.state === "queued";
    if (!isUnderWay && (started === undefined || !(await isRunning(started.process)))) {
      return { build, ...builder };
    }
    await pause(LOOK_MS, signal);
  }
}

/** Null when it has ended. */
async function look(pid: number): Promise<Seen | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
    const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    // a zombie has neither memory nor words
    if (peak === undefined || command === "") return null;
    return { command: command.split("\0").slice(0, -1), peakMemoryBytes: Number(peak) * 1024 };
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && "code" in error && error.code === "ESRCH"))
      return null;
    throw error;
  }
}
