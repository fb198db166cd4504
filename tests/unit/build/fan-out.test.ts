import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { waitFor } from "../../../src/base/deadline.ts";
import { fanOut, PATIENCE, resuming, type Branch, type Source } from "../../../src/build/fan-out.ts";

const KIB = 1024;
const CHUNK = 16 * KIB;
const forever = (): AbortSignal => AbortSignal.timeout(20_000);
const quick = { lagBytes: 4 * CHUNK, holdMs: 40, share: 0.1 };

/** Data of `chunks` chunks, each different; `onRead` hears of each read chunk's number and may throw. */
function sourceOf(
  chunks: number,
  onRead: (at: number) => void = () => {},
): Source & { readonly opened: number[]; readonly digest: string } {
  const chunkAt = (at: number): Buffer => Buffer.alloc(CHUNK, at % 251);
  const hash = createHash("sha256");
  for (let at = 0; at < chunks; at += 1) hash.update(chunkAt(at));
  const opened: number[] = [];
  return {
    opened,
    digest: hash.digest("hex"),
    mayResume: () => true,
    async openAt(offset) {
      opened.push(offset);
      return (async function* () {
        for (let at = Math.floor(offset / CHUNK); at < chunks; at += 1) {
          await turn();
          onRead(at);
          const skip = at === Math.floor(offset / CHUNK) ? offset % CHUNK : 0;
          yield chunkAt(at).subarray(skip);
        }
      })();
    },
  };
}

/** Reads a branch to its end; `onChunk` may wait. Gives the digest. */
async function read(
  branch: Branch | undefined,
  onChunk: (bytes: number) => Promise<void> = async () => {},
): Promise<string> {
  if (branch === undefined) throw new Error("no such branch");
  using _closed = branch;
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of branch.data) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    await onChunk(bytes);
  }
  return hash.digest("hex");
}

describe("fanOut", () => {
  test("reads the source once and gives all of it to each branch", async () => {
    const source = sourceOf(60);
    const branches = fanOut(source, 3, forever());
    expect(await Promise.all(branches.map(async (branch) => await read(branch)))).toEqual(
      Array.from({ length: 3 }, () => source.digest),
    );
    expect(source.opened).toEqual([0]);
  });

  test("reads no further ahead of the slowest branch than it may hold", async () => {
    let reached = 0;
    const source = sourceOf(100, (at) => (reached = at));
    const gate = Promise.withResolvers<undefined>();
    const patience = { ...quick, holdMs: 60_000 };
    const [slow, fast] = fanOut(source, 2, forever(), patience);
    let fastBytes = 0;
    const all = Promise.all([
      read(slow, async () => await gate.promise),
      read(fast, async (bytes) => void (fastBytes = bytes)),
    ]);
    // the slow one has taken its first chunk: four are held, and one waits to be
    await waitFor(forever(), 1, async () => (reached >= 5 ? true : undefined));
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect(reached).toBe(5);
    expect(fastBytes).toBe(5 * CHUNK);
    gate.resolve(undefined);
    expect(await all).toEqual([source.digest, source.digest]);
    expect(source.opened).toEqual([0]);
  });

  test("leaves a branch that holds the others up to a stream of its own, from where it was", async () => {
    const source = sourceOf(100);
    const [slow, fast] = fanOut(source, 2, forever(), quick);
    const gate = Promise.withResolvers<undefined>();
    const slowly = read(slow, async () => await gate.promise);
    expect(await read(fast)).toBe(source.digest);
    expect(slow?.isDetached()).toBe(true);
    expect(fast?.isDetached()).toBe(false);
    gate.resolve(undefined);
    expect(await slowly).toBe(source.digest);
    expect(source.opened).toEqual([0, CHUNK]);
  });

  test("goes at the pace of branches that are all slow, on one stream", async () => {
    // each takes more than twice the time that one may hold the others up
    const source = sourceOf(150);
    const branches = fanOut(source, 3, forever(), { ...quick, holdMs: 250 });
    const pace = async (): Promise<void> =>
      await new Promise((resolve) => {
        setTimeout(resolve, 4);
      });
    const digests = await Promise.all(branches.map(async (branch) => await read(branch, pace)));
    expect(new Set(digests)).toEqual(new Set([source.digest]));
    expect(source.opened).toEqual([0]);
  });

  test("goes on without a branch that fails, and without one that is closed unread", async () => {
    const source = sourceOf(100);
    const [failing, unread, good] = fanOut(source, 3, forever(), { ...quick, holdMs: 60_000 });
    unread?.[Symbol.dispose]();
    const fails = read(failing, async (bytes) => {
      if (bytes > CHUNK) throw new Error("the cloud is full");
    });
    await expect(fails).rejects.toThrow("the cloud is full");
    expect(await read(good)).toBe(source.digest);
  });

  test("stops reading when nobody is left", async () => {
    let reached = 0;
    const source = sourceOf(1000, (at) => (reached = at));
    const branches = fanOut(source, 2, forever(), quick);
    for (const branch of branches) branch[Symbol.dispose]();
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect(reached).toBeLessThan(2);
  });

  test("opens a source that breaks again where it broke", async () => {
    const broken = new Set([7, 20]);
    const source = sourceOf(40, (at) => {
      if (broken.delete(at)) throw new Error("connection reset");
    });
    const branches = fanOut(source, 2, forever());
    const digests = await Promise.all(branches.map(async (branch) => await read(branch)));
    expect(new Set(digests)).toEqual(new Set([source.digest]));
    expect(source.opened).toEqual([0, 7 * CHUNK, 20 * CHUNK]);
  });

  test("fails every branch with the cause when the source is gone for good", async () => {
    const source = { ...sourceOf(40, (at) => fail(at === 7)), mayResume: () => false };
    const branches = fanOut(source, 2, forever());
    const ends = await Promise.allSettled(branches.map(async (branch) => await read(branch)));
    expect(ends.map((end) => end.status === "rejected" && String(end.reason))).toEqual([
      "Error: no such image",
      "Error: no such image",
    ]);
  });

  test("ends every branch with the signal's reason", async () => {
    const cancel = new AbortController();
    const branches = fanOut(sourceOf(1000), 2, cancel.signal, quick);
    const ends = Promise.allSettled(
      branches.map(
        async (branch, index) =>
          await read(branch, async (bytes) => {
            if (index === 0 && bytes > 3 * CHUNK) cancel.abort(new Error("cancelled"));
          }),
      ),
    );
    expect((await ends).map((end) => end.status === "rejected" && String(end.reason))).toEqual([
      "Error: cancelled",
      "Error: cancelled",
    ]);
  });

  test("holds four MiB at most, whatever the branches", () => {
    expect(PATIENCE).toEqual({ lagBytes: 4 * KIB * KIB, holdMs: 10_000, share: 0.25 });
  });
});

test("a stream that breaks again and again without a byte is given up", async () => {
  const source = sourceOf(5, (at) => fail(at === 2));
  const bytes: number[] = [];
  const all = (async () => {
    for await (const chunk of resuming(source, 0, forever())) bytes.push(chunk.byteLength);
  })();
  await expect(all).rejects.toThrow("no such image");
  expect(bytes).toHaveLength(2);
  expect(source.opened).toHaveLength(4);
});

function fail(now: boolean): void {
  if (now) throw new Error("no such image");
}
