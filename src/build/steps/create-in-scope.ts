/** Making remote things so that none is left when the build ends in mid-request. */
import { seconds } from "../../base/deadline.ts";
import type { ResourceScope } from "../../base/scope.ts";

/** A request under way may take this long after the build's end; its answer names what there is to delete. */
const GRACE_MS = seconds(30);

/**
 * What `create` makes; `scope` runs `undo` on it, and so does `discard`. The end of `signal` ends the wait but
 * not at once the request: broken off, it would leave something whose id nobody knows.
 */
export async function createInScope<T>(
  scope: ResourceScope,
  what: string,
  signal: AbortSignal,
  create: (signal: AbortSignal) => Promise<T>,
  undo: (made: T, signal: AbortSignal) => Promise<void>,
): Promise<{ readonly made: T; readonly discard: () => Promise<void> }> {
  signal.throwIfAborted();
  const patience = new AbortController();
  const endSoon = (): void => {
    setTimeout(() => patience.abort(signal.reason), GRACE_MS).unref();
  };
  signal.addEventListener("abort", endSoon, { once: true });
  const creating = create(patience.signal).finally(() => signal.removeEventListener("abort", endSoon));
  const discard = scope.defer(what, async (undoSignal) => {
    // a failure is told to the one who waits below; there is nothing to undo then
    const result = await creating.then(
      (made) => ({ made }),
      () => null,
    );
    if (result !== null) await undo(result.made, undoSignal);
  });
  const made = await creating;
  signal.throwIfAborted();
  return { made, discard };
}
