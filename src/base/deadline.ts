/** Waiting with an end: every wait takes the caller's signal and a limit of its own. */
import { setTimeout as sleep } from "node:timers/promises";
import { DeadlineError } from "./errors.ts";

/** Minutes in milliseconds. */
export const minutes = (n: number): number => n * 60_000;
/** Seconds in milliseconds. */
export const seconds = (n: number): number => n * 1000;

/**
 * Runs `run` with a signal that fires when `signal` does or after `ms`.
 * Settles then, even when `run` is deaf to its signal: at once, or after `settleMs` that `run` has to clean up
 * and to say more than that time is up. Throws {@link DeadlineError} naming `what` for the limit, the signal's
 * own reason for a cancel, or what `run` itself threw in time.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  ms: number,
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
  settleMs = 0,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DeadlineError(what, ms)), ms);
  const both = AbortSignal.any([signal, limit.signal]);
  let stop = (): void => {};
  let settling: NodeJS.Timeout | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      if (settleMs === 0) reject(both.reason);
      else settling = setTimeout(() => reject(both.reason), settleMs);
    };
    both.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([run(both), aborted]);
  } finally {
    clearTimeout(timer);
    clearTimeout(settling);
    both.removeEventListener("abort", stop);
  }
}

/**
 * Polls until `poll` gives a value other than `undefined` and returns it. `poll` throws to end the wait at
 * once (a failure state); the pause between polls is `everyMs` and ends at once when `signal` fires.
 */
export async function waitFor<T>(
  signal: AbortSignal,
  everyMs: number,
  poll: (signal: AbortSignal) => Promise<T | undefined>,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const value = await poll(signal);
    if (value !== undefined) return value;
    await pause(everyMs, signal);
  }
}

/** Resolves after `ms`; rejects with the signal's own reason when it fires first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
