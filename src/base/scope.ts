/** Undo list for remote things: whatever creates one registers its undo in the next statement. */
import { asError } from "./errors.ts";
import { withDeadline } from "./deadline.ts";
import type { Logger } from "./log.ts";

/** One undo has this long, counted from its own start: clean-up must not inherit a spent deadline. */
const UNDO_LIMIT_MS = 120_000;

/** What an undo could not remove. */
export interface Leftover {
  readonly what: string;
  readonly error: Error;
}

/**
 * Holds the undos of what one piece of work created. Use with `await using`: they run in reverse order when
 * the block ends, by return, throw or cancel. An undo that fails is logged and listed in `leftovers`; it
 * never throws, because a throwing disposer would hide the error that ended the work.
 */
export class ResourceScope implements AsyncDisposable {
  readonly leftovers: Leftover[] = [];
  readonly #undos: { what: string; undo: (signal: AbortSignal) => Promise<void> }[] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
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
      await withDeadline(new AbortController().signal, UNDO_LIMIT_MS, `undo ${what}`, undo);
      this.#log.debug({ what }, "undone");
    } catch (error) {
      this.leftovers.push({ what, error: asError(error) });
      this.#log.error({ what, err: asError(error) }, "cannot clean up; the reaper will try again");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let entry = this.#undos.pop(); entry !== undefined; entry = this.#undos.pop()) {
      await this.#run(entry.what, entry.undo);
    }
  }
}
