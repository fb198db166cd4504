/** Telling the charm that a build moved on: runs the request's wake command. */
import { setTimeout as sleep } from "node:timers/promises";
import { minutes } from "../base/deadline.ts";
import { describe } from "../base/errors.ts";
import { exec } from "../base/exec.ts";
import type { Logger } from "../base/log.ts";

/** Between two wakes for steps at least so much passes: each costs a dispatch. */
const PAUSE_MS = 1000;
/** The same for how far a transfer is. */
const PROGRESS_PAUSE_MS = 15_000;
/** The command waits for Juju's machine lock, which other units' hooks may hold. */
const WAKE_LIMIT_MS = minutes(4);

/** Wakes the charm; dispose of it at the build's end, which wakes once more. */
export interface Waker extends AsyncDisposable {
  /** Wakes the charm soon: another step has begun. Several calls within a second make one wake. */
  readonly soon: () => void;
  /** Wakes the charm for mere progress, at most every 15 seconds. */
  readonly lazily: () => void;
  /** Wakes the charm now; true when its dispatch ran and succeeded. */
  readonly now: () => Promise<boolean>;
}

/** A waker that runs `command` with `env`; with an empty command nobody is woken and `now` gives false. */
export function createWaker(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  log: Logger,
): Waker {
  const [file, ...parameters] = command;
  if (file === undefined)
    return { soon: () => {}, lazily: () => {}, now: async () => false, async [Symbol.asyncDispose]() {} };
  let due = false;
  let wokenAt = -Infinity;
  let last: Promise<boolean> = Promise.resolve(true);
  let looping: Promise<void> | null = null;
  const closing = new AbortController();

  const wake = async (): Promise<boolean> => {
    try {
      const signal = AbortSignal.timeout(WAKE_LIMIT_MS);
      const { code, stderr } = await exec(file, parameters, { env, signal });
      if (code !== 0) log.warn({ code, stderr: stderr.trim() }, "cannot wake the charm");
      return code === 0;
    } catch (error) {
      // update-status finds the journal anyway
      log.warn({ error: describe(error) }, "cannot wake the charm");
      return false;
    }
  };
  const now = async (): Promise<boolean> => {
    due = false;
    last = last.then(wake);
    const isWoken = await last;
    wokenAt = performance.now();
    return isWoken;
  };
  const loop = async (): Promise<void> => {
    while (due) {
      await now();
      await sleep(PAUSE_MS, undefined, { signal: closing.signal }).catch(() => {});
    }
    looping = null;
  };
  const soon = (): void => {
    due = true;
    looping ??= loop();
  };
  return {
    soon,
    lazily() {
      // a wake that runs or is due will tell of it
      if (looping === null && performance.now() - wokenAt >= PROGRESS_PAUSE_MS) soon();
    },
    now,
    async [Symbol.asyncDispose]() {
      due = false;
      closing.abort();
      await looping;
      await now();
    },
  };
}
