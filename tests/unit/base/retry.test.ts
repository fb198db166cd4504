import { describe, expect, test } from "vitest";
import { retry, type RetryPolicy } from "../../../src/base/retry.ts";

const never = new AbortController().signal;
const policy: RetryPolicy = { attempts: 4, firstPauseMs: 1, longestPauseMs: 5, when: () => true };

/** Work that fails with the given errors in turn, then gives "ok". */
function failing(...errors: readonly Error[]): {
  run: (attempt: number) => Promise<string>;
  tries: number[];
} {
  const tries: number[] = [];
  const run = async (attempt: number): Promise<string> => {
    tries.push(attempt);
    const error = errors[tries.length - 1];
    if (error !== undefined) throw error;
    return "ok";
  };
  return { run, tries };
}

describe("retry", () => {
  test("tries again until it succeeds, telling of each failure", async () => {
    const [one, two] = [new Error("1"), new Error("2")];
    const { run, tries } = failing(one, two);
    const told: unknown[] = [];
    const onRetry = (error: unknown, attempt: number): void => void told.push([error, attempt]);
    expect(await retry(never, { ...policy, onRetry }, run)).toBe("ok");
    expect(tries).toEqual([1, 2, 3]);
    expect(told).toEqual([
      [one, 1],
      [two, 2],
    ]);
  });

  test("gives up after its attempts with the last error", async () => {
    const errors = ["1", "2", "3", "4", "5"].map((text) => new Error(text));
    const { run, tries } = failing(...errors);
    await expect(retry(never, policy, run)).rejects.toBe(errors[3]);
    expect(tries).toHaveLength(4);
  });

  test("does not repeat what is not worth it", async () => {
    const error = new Error("forbidden");
    const { run, tries } = failing(error);
    await expect(retry(never, { ...policy, when: (reason) => reason !== error }, run)).rejects.toBe(error);
    expect(tries).toEqual([1]);
  });

  test("pauses twice as long each time up to a limit, or as long as it is asked to", async () => {
    const errors = Array.from({ length: 7 }, (_, index) => new Error(String(index)));
    const waits = async (change: Partial<RetryPolicy>): Promise<number> => {
      const began = performance.now();
      const pauses = { ...policy, attempts: 8, firstPauseMs: 20, longestPauseMs: 40, ...change };
      await retry(never, pauses, failing(...errors).run);
      return performance.now() - began;
    };
    // 20 + 6 * 40; without the limit it were 2540
    const own = await waits({});
    expect(own).toBeGreaterThan(250);
    expect(own).toBeLessThan(2000);
    expect(await waits({ firstPauseMs: 60_000, longestPauseMs: 60_000, askedPauseMs: () => 1 })).toBeLessThan(
      10_000,
    );
  });

  test("ends in mid-pause when cancelled, and does not try again", async () => {
    const cancel = new AbortController();
    const reason = new Error("enough");
    const { run, tries } = failing(new Error("1"), new Error("2"));
    const onRetry = (): void => void setImmediate(() => cancel.abort(reason));
    const work = retry(
      cancel.signal,
      { ...policy, firstPauseMs: 60_000, longestPauseMs: 60_000, onRetry },
      run,
    );
    await expect(work).rejects.toBe(reason);
    expect(tries).toEqual([1]);
  });
});
