import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { minutes, seconds } from "../../../src/base/deadline.ts";
import { shareToken } from "../../../src/openstack/token.ts";

const { signal } = new AbortController();

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** A token of `lifeMs`, and the numbers it has at these times after the first. */
async function numbersAt(lifeMs: number, times: readonly number[], atLeastMs?: number): Promise<number[]> {
  const token = shareToken(() => Promise.resolve(lifeMs), signal);
  const numbers = [await token.authorize(signal, atLeastMs)];
  let now = 0;
  for (const time of times) {
    vi.advanceTimersByTime(time - now);
    now = time;
    numbers.push(await token.authorize(signal, atLeastMs));
  }
  return numbers;
}

test("a token is renewed five minutes before its end", async () => {
  expect(await numbersAt(minutes(60), [minutes(54), minutes(56), minutes(57)])).toEqual([1, 1, 2, 2]);
});

test("a short-lived token is renewed at half its life", async () => {
  expect(await numbersAt(seconds(120), [seconds(59), seconds(61), seconds(119)])).toEqual([1, 1, 2, 2]);
});

test("who needs a token for long gets one that lasts, or half its life", async () => {
  expect(await numbersAt(minutes(60), [minutes(29), minutes(31)], minutes(30))).toEqual([1, 1, 2]);
  expect(await numbersAt(minutes(20), [minutes(9), minutes(11)], minutes(30))).toEqual([1, 1, 2]);
});

test("a dropped token is replaced once, however many drop it", async () => {
  const token = shareToken(() => Promise.resolve(minutes(60)), signal);
  const first = await token.authorize(signal);
  token.drop(first);
  const second = await token.authorize(signal);
  token.drop(first);
  expect([first, second, await token.authorize(signal)]).toEqual([1, 2, 2]);
});

test("a sign-in that nobody waits for any more is abandoned, and the next one starts anew", async () => {
  const abandoned = Promise.withResolvers<unknown>();
  const started = Promise.withResolvers<void>();
  let signIns = 0;
  const token = shareToken((own) => {
    signIns += 1;
    if (signIns > 1) return Promise.resolve(minutes(60));
    started.resolve();
    own.addEventListener("abort", () => abandoned.resolve(own.reason));
    return new Promise(() => {}); // deaf, so that the next caller must not wait for it
  }, signal);
  const [one, two] = [new AbortController(), new AbortController()];
  const waiting = [token.authorize(one.signal), token.authorize(two.signal)];
  await started.promise;
  one.abort(new Error("first"));
  await expect(waiting[0]).rejects.toThrow("first");
  const still = await Promise.race([abandoned.promise, Promise.resolve("waiting")]);
  expect(still).toBe("waiting");
  two.abort(new Error("second"));
  await expect(waiting[1]).rejects.toThrow("second");
  await expect(token.authorize(signal)).resolves.toBe(1);
  await expect(abandoned.promise).resolves.toBeInstanceOf(Error);
});

test("a failed sign-in fails all who wait for it, and the next caller tries again", async () => {
  let tries = 0;
  const token = shareToken(async () => {
    tries += 1;
    if (tries === 1) throw new Error("no");
    return await Promise.resolve(minutes(60));
  }, signal);
  const both = await Promise.allSettled([token.authorize(signal), token.authorize(signal)]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(token.authorize(signal)).resolves.toBe(1);
  expect(tries).toBe(2);
});
