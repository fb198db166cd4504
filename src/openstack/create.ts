/** Creating things exactly once although replies get lost. */
import { asError } from "../base/errors.ts";
import { pause } from "../base/deadline.ts";
import { isOutcomeUnknown } from "./errors.ts";
import type { Service } from "./types.ts";

/** A request whose reply got lost may take effect a little later. */
const LOOK_AFTER_MS = [0, 1000, 2000, 4000];

/**
 * What `create` gives. When its outcome is unknown (connection lost, 5xx, no reply in time) `find` looks for
 * what it may have made, some times over, before its error is thrown. `find` must recognise the thing by
 * what the caller made unique.
 */
export async function createOrFind<T>(
  service: Service,
  signal: AbortSignal,
  create: () => Promise<T>,
  find: () => Promise<T | undefined>,
): Promise<T> {
  try {
    return await create();
  } catch (error) {
    if (signal.aborted || !isOutcomeUnknown(error)) throw error;
    service.log.warn({ err: asError(error) }, "reply lost, looking for what it made");
    for (const ms of LOOK_AFTER_MS) {
      await pause(ms, signal);
      let found: T | undefined;
      try {
        found = await find();
      } catch (lookUp) {
        signal.throwIfAborted();
        service.log.warn({ err: asError(lookUp) }, "cannot look for it");
      }
      if (found !== undefined) return found;
    }
    throw error;
  }
}
