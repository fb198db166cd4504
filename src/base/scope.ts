/** Undo list for remote things: whatever creates one registers its undo in the next statement. */
import { asError } from "./errors.ts";
import { withDeadline } from "./deadline.ts";
import type { Logger } from "./log.ts";
import { retry } from "./retry.ts";

/** One undo has this long, counted from its own start: clean-up must not inherit a spent deadline. */
const UNDO_LIMIT_MS = 120_000;
/** Whatever the error: a server that is busy refuses to go, and nobody waits for the undo. */
const UNDO_TRIES = { attempts: 3, firstPauseMs: 500, longestPauseMs: 2000, when: () => true };

/**
 * Holds the undos of what one piece of work created. Use with `await using`: they run in reverse order when
 * the block ends, by return, throw or cancel. An undo that fails is logged and told to `onLeftover`; it never
 * throws, because a throwing disposer would hide the error that ended the work.
 */
export class ResourceScope implements AsyncDisposable {
  readonly #undos: { what: string; undo: (signal: AbortSignal) => Promise<void> }[] = [];
  readonly #log: Logger;
  readonly #onLeftover: (what: string, error: Error) => void;

  constructor(log: Logger, onLeftover: (what: string, error: Error) => void = () => {}) {
    this.#log = log;
    this.#onLeftover = onLeftover;
  }

  /** Registers the undo of `what`; the returned function runs it now (once), for things not needed to the end. */
  defer(what: string, undo: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
    const entry = { what, undo };
    this.#undos.push(entry);
    return async () => {
      const at = this.#undos.indexOf(entry);
      if (at < 0) return;
      this.#undos.splice(at, 1);
      await this.#run(entry.what, entry.undo);
    };
  }

  async #run(what: string, undo: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await withDeadline(new AbortController().signal, UNDO_LIMIT_MS, `undo ${what}`, async (signal) =>
        retry(signal, UNDO_TRIES, async () => await undo(signal)),
      );
      this.#log.debug({ what }, "undone");
    } catch (error) {
      this.#onLeftover(what, asError(error));
      this.#log.error({ what, err: asError(error) }, "cannot clean up; the reaper will try again");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let entry = this.#undos.pop(); entry !== undefined; entry = this.#undos.pop()) {
      await this.#run(entry.what, entry.undo);
    }
  }
}
