/**
 * One stream into many. What is read is held once, whatever the number of branches, and no more of it than
 * {@link Patience.lagBytes}: the reader waits for the slowest branch. A branch that keeps the others waiting for too long
 * is left to a stream of its own.
 */
import { pause } from "../base/deadline.ts";
import { asError } from "../base/errors.ts";

/** Opens the source at an offset in bytes; its end is the end of the data. `signal` ends it at any time. */
export type OpenAt = (offset: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/** How long a branch may hold up the others. */
export interface Patience {
  /** Bytes that the slowest branch may be behind the fastest: all the memory that a fan-out takes. */
  readonly lagBytes: number;
  /** So long a branch may keep the others waiting in all ... */
  readonly holdMs: number;
  /** ... and this part of the time that has passed. */
  readonly share: number;
}

/** What suits images between clouds. */
export const PATIENCE: Patience = { lagBytes: 4 << 20, holdMs: 10_000, share: 0.25 };

/** Times in a row that a stream may break without a single byte in between. */
const REOPENED = 3;
const REOPEN_PAUSE_MS = 500;

/** One copy of the data. Its reader closes it: one that is neither read nor closed holds up the others. */
export interface Branch extends Disposable {
  readonly data: AsyncIterable<Uint8Array>;
  /** Whether it goes on from a stream of its own. */
  readonly isDetached: () => boolean;
}

/** What a fan-out needs to know of its source. */
export interface Source {
  readonly openAt: OpenAt;
  /** Whether a broken stream may be opened again where it broke; else its error is final. */
  readonly mayResume: (error: unknown) => boolean;
}

interface State {
  next: number;
  offset: number;
  heldMs: number;
  mode: "shared" | "detached" | "closed";
  wasDetached: boolean;
}

/**
 * `count` copies of the source, which is read once; reading begins at once. A source that breaks for good fails every
 * branch, and so does `signal`. Nothing is to be released but the branches.
 */
export function fanOut(
  source: Source,
  count: number,
  signal: AbortSignal,
  patience: Patience = PATIENCE,
): readonly Branch[] {
  const states = Array.from({ length: count }, (): State => ({
    next: 0,
    offset: 0,
    heldMs: 0,
    mode: "shared",
    wasDetached: false,
  }));
  const unread = new AbortController();
  const reading = AbortSignal.any([signal, unread.signal]);
  const held: Uint8Array[] = [];
  /** Number of the first chunk in `held`. */
  let first = 0;
  let heldBytes = 0;
  let ended = false;
  let failure: Error | null = null;
  let changed = Promise.withResolvers<undefined>();
  const pulse = (): void => {
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };
  const shared = (): readonly State[] => states.filter(({ mode }) => mode === "shared");
  const drop = (): void => {
    const needed = Math.min(...shared().map(({ next }) => next));
    for (; held.length > 0 && first < needed; first += 1) heldBytes -= held.shift()?.byteLength ?? 0;
    pulse();
  };
  const detach = (state: State, mode: "detached" | "closed"): void => {
    state.mode = mode;
    state.wasDetached ||= mode === "detached";
    if (shared().length === 0) unread.abort();
    drop();
  };

  /** Waits until there is room for another chunk; leaves out who holds the others up for too long. */
  const room = async (began: number): Promise<void> => {
    while (heldBytes >= patience.lagBytes && shared().length > 0) {
      const since = performance.now();
      const end = first + held.length;
      const isHeldUp = shared().some(({ next }) => next === end);
      await either(changed.promise, Math.max(1, patience.holdMs / 8));
      reading.throwIfAborted();
      if (!isHeldUp) continue;
      const now = performance.now();
      for (const state of shared().filter(({ next }) => next === first)) {
        state.heldMs += now - since;
        if (state.heldMs > patience.holdMs + patience.share * (now - began)) detach(state, "detached");
      }
    }
  };

  const read = async (): Promise<void> => {
    const began = performance.now();
    for await (const chunk of resuming(source, 0, reading)) {
      await room(began);
      if (shared().length === 0) return;
      held.push(chunk);
      heldBytes += chunk.byteLength;
      pulse();
    }
    ended = true;
    pulse();
  };

  async function* copy(state: State): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        signal.throwIfAborted();
        if (state.mode === "detached") return yield* resuming(source, state.offset, signal);
        if (state.mode === "closed") return;
        const chunk = held[state.next - first];
        if (chunk !== undefined) {
          state.next += 1;
          state.offset += chunk.byteLength;
          drop();
          yield chunk;
        } else if (failure !== null) throw failure;
        else if (ended) return;
        else await changed.promise;
      }
    } finally {
      detach(state, "closed");
    }
  }

  signal.addEventListener("abort", pulse, { once: true });
  void read()
    .catch((error: unknown) => {
      failure = asError(error);
      pulse();
    })
    .finally(() => signal.removeEventListener("abort", pulse));
  return states.map((state) => ({
    data: copy(state),
    isDetached: () => state.wasDetached,
    [Symbol.dispose]: () => detach(state, "closed"),
  }));
}

/** The source's bytes from `from` on, opened again where it breaks. */
export async function* resuming(
  { openAt, mayResume }: Source,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let at = from;
  for (let broken = 0; ;) {
    try {
      for await (const chunk of await openAt(at, signal)) {
        at += chunk.byteLength;
        broken = 0;
        yield chunk;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      broken += 1;
      if (broken > REOPENED || !mayResume(error)) throw error;
      await pause(REOPEN_PAUSE_MS * broken, signal);
    }
  }
}

async function either(event: Promise<undefined>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}
