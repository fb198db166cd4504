/** One named step of a build: bounded, timed, journalled, and its failure wrapped with its name. */
import { minutes, withDeadline } from "../base/deadline.ts";
import { AppError, describe, formatDuration } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Journal } from "./journal.ts";

/** A step failed. Its message is "cannot <step>"; the cause says why. */
export class StepError extends AppError {
  readonly step: string;

  constructor(step: string, cause: unknown) {
    super(`cannot ${step}`, { cause });
    this.step = step;
  }
}

/** What a step that is told to end may take to undo what it made; longer than the limit of one undo. */
const SETTLE_MS = minutes(3);

/** Name of the step that makes the first thing in a cloud. */
export const FIRST_MADE = "prepare the security group";

/** Name of the step that brings an image to its targets. */
export const UPLOAD = "upload the image";

/** What every step of one image (or of the build as a whole, `image` empty) shares. */
export interface StepContext {
  readonly image: string;
  readonly log: Logger;
  readonly journal: Journal;
  readonly signal: AbortSignal;
}

/**
 * Runs one step. `name` is a verb phrase ("launch the builder"); it is what statuses, journal and errors say.
 * Throws {@link StepError}, or the signal's own reason when the build was cancelled.
 */
export async function step<T>(
  context: StepContext,
  name: string,
  limitMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { image, journal, log, signal } = context;
  const began = performance.now();
  const took = (): number => Math.round(performance.now() - began);
  journal.add({ event: "step-started", image, step: name });
  try {
    const result = await withDeadline(signal, limitMs, name, run, SETTLE_MS);
    journal.add({ event: "step-ended", image, step: name, ms: took(), error: null });
    log.info({ image, step: name, took: formatDuration(took()) }, "step done");
    return result;
  } catch (error) {
    journal.add({ event: "step-ended", image, step: name, ms: took(), error: describe(error) });
    log.error({ image, step: name, err: error }, "step failed");
    if (signal.aborted) throw signal.reason;
    throw new StepError(name, error);
  }
}

/** A function that journals how far a transfer is, at most once a second and at its end. */
export function progressOf(context: StepContext, step: string): (done: number, total: number) => void {
  let last = 0;
  return (done, total) => {
    const now = performance.now();
    if (now - last < 1000 && done < total) return;
    last = now;
    context.journal.add({ event: "progress", image: context.image, step, done, total });
  };
}
