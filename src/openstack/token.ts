/** One token for all calls to a cloud: who needs one while a sign-in is under way waits for that one. */
import { minutes, withDeadline } from "../base/deadline.ts";

/** A token is renewed this long before it ends, or at half its life where the cloud's tokens are short-lived. */
const MARGIN_MS = minutes(5);
/** Work that a service does with our token behind its reply begins with one that lasts so long, where the cloud's do. */
export const LASTING_TOKEN_MS = minutes(30);
const SIGN_IN_DEADLINE_MS = minutes(1);

/** The shared token of one cloud; see {@link shareToken}. */
export interface SharedToken {
  readonly authorize: (signal: AbortSignal, atLeastMs?: number) => Promise<number>;
  readonly drop: (generation: number) => void;
}

interface SignIn {
  readonly done: Promise<number>;
  readonly abandon: AbortController;
  waiting: number;
}

/**
 * Shares what `signIn` makes; it gives the new token's life in milliseconds as the service reckons it, so
 * that a wrong clock here does no harm. A sign-in is abandoned when nobody waits for it any more, or when
 * `closed` fires.
 */
export function shareToken(
  signIn: (signal: AbortSignal) => Promise<number>,
  closed: AbortSignal,
): SharedToken {
  let generation = 0;
  let lifeMs = 0;
  let endsAt = 0;
  let current: SignIn | undefined;

  const begin = (): SignIn => {
    const abandon = new AbortController();
    const run = async (): Promise<number> => {
      const startedAt = performance.now();
      try {
        lifeMs = await signIn(AbortSignal.any([abandon.signal, closed]));
        endsAt = startedAt + lifeMs;
        generation += 1;
        return generation;
      } finally {
        if (current === begun) current = undefined;
      }
    };
    // starts a turn later, so that the comparison above always finds `begun` assigned
    const begun: SignIn = { done: Promise.resolve().then(run), abandon, waiting: 0 };
    // each waiter gets the failure; without waiters nobody is interested
    begun.done.catch(() => {});
    return begun;
  };

  return {
    async authorize(signal, atLeastMs = 0) {
      signal.throwIfAborted();
      closed.throwIfAborted();
      const margin = Math.min(Math.max(MARGIN_MS, atLeastMs), lifeMs / 2);
      if (performance.now() < endsAt - margin) return generation;
      current ??= begin();
      const mine = current;
      mine.waiting += 1;
      try {
        return await withDeadline(signal, SIGN_IN_DEADLINE_MS, "cannot sign in", () => mine.done);
      } finally {
        mine.waiting -= 1;
        if (mine.waiting === 0) {
          mine.abandon.abort();
          if (current === mine) current = undefined;
        }
      }
    },
    drop(used) {
      if (used === generation) endsAt = 0;
    },
  };
}
