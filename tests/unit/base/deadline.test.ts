import { describe, expect, test } from "vitest";
import { minutes, pause, seconds, waitFor, withDeadline } from "../../../src/base/deadline.ts";
import { DeadlineError } from "../../../src/base/errors.ts";

const never = new AbortController().signal;
/** Work that hears of nothing. */
const deaf = async (): Promise<never> => await new Promise(() => {});

describe("withDeadline", () => {
  test("gives the result of work that is in time", async () => {
    expect(await withDeadline(never, 10_000, "work", async () => 7)).toBe(7);
  });

  test("ends deaf work at its limit, naming it", async () => {
    const began = performance.now();
    const error: unknown = await withDeadline(never, 30, "find the server", deaf).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({
      what: "find the server",
      afterMs: 30,
      message: "find the server: not done after 30ms",
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("ends deaf work at once when cancelled, with the reason of the cancel", async () => {
    const cancel = new AbortController();
    const reason = new Error("enough");
    const work = withDeadline(cancel.signal, 60_000, "work", deaf);
    cancel.abort(reason);
    await expect(work).rejects.toBe(reason);
  });

  test("tells the work of either, by its signal", async () => {
    let heard: unknown;
    const listen = async (signal: AbortSignal): Promise<never> =>
      await new Promise(() => signal.addEventListener("abort", () => (heard = signal.reason)));
    const late = withDeadline(never, 10, "late", listen);
    await expect(late).rejects.toBe(await late.catch((reason: unknown) => reason));
    expect(heard).toBeInstanceOf(DeadlineError);
    const reason = new Error("enough");
    const cancel = new AbortController();
    const cancelled = withDeadline(cancel.signal, 60_000, "work", listen);
    cancel.abort(reason);
    await expect(cancelled).rejects.toBe(reason);
    expect(heard).toBe(reason);
  });

  test("does not start work that is cancelled already", async () => {
    let started = false;
    const work = withDeadline(AbortSignal.abort(new Error("enough")), 1000, "work", async () => {
      started = true;
    });
    await expect(work).rejects.toThrow("enough");
    expect(started).toBe(false);
  });

  test("passes the work's own error on", async () => {
    const error = new Error("no quota");
    await expect(withDeadline(never, 1000, "work", async () => Promise.reject(error))).rejects.toBe(error);
  });

  test("leaves no timer behind that would keep the process alive", async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    await withDeadline(never, 60_000, "work", async () => 1);
    const after = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    expect(after).toBeLessThanOrEqual(before);
  });
});

describe("waitFor", () => {
  test("polls until there is a value, which may be falsy", async () => {
    let polls = 0;
    const value = await waitFor(never, 1, async () => ((polls += 1) < 3 ? undefined : 0));
    expect([value, polls]).toEqual([0, 3]);
  });

  test("ends at once when a poll throws", async () => {
    let polls = 0;
    const failing = waitFor(never, 1, async () => {
      polls += 1;
      throw new Error("the server is in ERROR");
    });
    await expect(failing).rejects.toThrow("the server is in ERROR");
    expect(polls).toBe(1);
  });

  test("ends in mid-pause when cancelled", async () => {
    const cancel = new AbortController();
    const reason = new Error("enough");
    const began = performance.now();
    const work = waitFor(cancel.signal, 60_000, async () => {
      setImmediate(() => cancel.abort(reason));
      return undefined;
    });
    await expect(work).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

test("a pause ends with the reason of a cancel, not with an error of its own", async () => {
  const reason = new Error("enough");
  await expect(pause(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  await expect(pause(1, never)).resolves.toBeUndefined();
});

test("minutes and seconds are milliseconds", () => {
  expect([minutes(2), seconds(3)]).toEqual([120_000, 3000]);
});
