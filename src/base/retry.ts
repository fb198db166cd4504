/** Retrying what may be retried. */
import { pause } from "./deadline.ts";

/** When and how often to try again. */
export interface RetryPolicy {
  /** Tries at the most, the first included. */
  readonly attempts: number;
  /** Pause before the second try; doubles for each further one. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Whether this error is worth another try. */
  readonly when: (error: unknown) => boolean;
  /** A pause that the other side asked for (Retry-After), in milliseconds. */
  readonly askedPauseMs?: (error: unknown) => number | undefined;
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/** Runs `run` until it succeeds, the policy gives up (its last error is thrown) or `signal` fires. */
export async function retry<T>(
  signal: AbortSignal,
  policy: RetryPolicy,
  run: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await run(attempt);
    } catch (error) {
      if (attempt >= policy.attempts || signal.aborted || !policy.when(error)) throw error;
      policy.onRetry?.(error, attempt);
      const own = Math.min(policy.firstPauseMs * 2 ** (attempt - 1), policy.longestPauseMs);
      await pause(policy.askedPauseMs?.(error) ?? own, signal);
    }
  }
}
