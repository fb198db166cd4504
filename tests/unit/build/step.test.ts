import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CancelledError, describe as textOf } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { NewJournalEvent } from "../../../src/build/journal.ts";
import { progressOf, step, StepError, type StepContext } from "../../../src/build/step.ts";

function recorded(signal = new AbortController().signal): {
  context: StepContext;
  events: NewJournalEvent[];
} {
  const events: NewJournalEvent[] = [];
  const journal = { add: (event: NewJournalEvent) => void events.push(event) };
  return { context: { image: "noble-x64", log: silentLogger, journal, signal }, events };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  await once(signal, "abort");
  throw signal.reason;
}

describe("step", () => {
  test("gives the result and journals begin and end", async () => {
    const { context, events } = recorded();
    expect(await step(context, "launch the builder", 1000, async () => 7)).toBe(7);
    expect(events).toMatchObject([
      { event: "step-started", image: "noble-x64", step: "launch the builder" },
      { event: "step-ended", image: "noble-x64", step: "launch the builder", error: null },
    ]);
  });

  test("names itself in the error and the journal when it fails", async () => {
    const { context, events } = recorded();
    const cause = new Error("no valid host");
    const error: unknown = await step(context, "launch the builder", 1000, async () => {
      throw cause;
    }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StepError);
    expect(error).toMatchObject({ message: "cannot launch the builder", step: "launch the builder", cause });
    expect(events.at(-1)).toMatchObject({ event: "step-ended", error: "no valid host" });
  });

  test("ends at its limit, when its work has undone what it made", async () => {
    const { context, events } = recorded();
    let undone = false;
    const error: unknown = await step(context, "wait", 20, async (limit) => {
      try {
        await untilAborted(limit);
      } finally {
        await setImmediate();
        undone = true;
      }
    }).catch((reason: unknown) => reason);
    expect(undone).toBe(true);
    expect(textOf(error)).toBe("cannot wait: wait: not done after 20ms");
    expect(events.at(-1)).toMatchObject({ event: "step-ended", error: "wait: not done after 20ms" });
  });

  test("passes a cancel on as it is, so that the build counts as cancelled", async () => {
    const cancel = new AbortController();
    const { context } = recorded(cancel.signal);
    const reason = new CancelledError("cancelled by SIGTERM");
    const work = step(context, "wait", 60_000, untilAborted);
    cancel.abort(reason);
    await expect(work).rejects.toBe(reason);
  });
});

describe("progressOf", () => {
  test("journals at most once a second, but always the end", () => {
    const { context, events } = recorded();
    const report = progressOf(context, "upload the image");
    for (let done = 0; done <= 10_000; done += 1) report(done, 10_000);
    expect(events.length).toBeLessThan(5);
    expect(events.at(-1)).toEqual({
      event: "progress",
      image: "noble-x64",
      step: "upload the image",
      done: 10_000,
      total: 10_000,
    });
  });
});
