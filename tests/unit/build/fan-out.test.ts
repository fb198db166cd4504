import { createHash } from "node:crypto";
import { PassThrough, type Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { fanOut } from "../../../src/build/fan-out.ts";

/** A busy machine is slow; a condition that does not come is the failure. */
const PATIENCE = { timeout: 10_000 };

const MIB = 1 << 20;
/** What one branch may hold, and the chunk that makes it full. */
const BUFFERED = 4 * MIB;

async function* chunks(
  count: number,
  onGive: (given: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) {
    onGive(index + 1);
    yield Buffer.alloc(MIB, index % 251);
  }
}

async function digest(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => error,
  );
}

const at = (branches: readonly Readable[], index: number): Readable =>
  branches[index] ?? expect.fail(`no branch ${index}`);

describe("fanOut", () => {
  test("gives every branch all bytes in order, and each chunk once to the listener", async () => {
    let seen = 0;
    const { branches, done } = fanOut(chunks(20), 3, (chunk) => (seen += chunk.byteLength));
    const digests = await Promise.all(branches.map(digest));
    expect(new Set([...digests, await digest(chunks(20))]).size).toBe(1);
    expect(await done).toBe(20 * MIB);
    expect(seen).toBe(20 * MIB);
  });

  test("passes an empty source on as an end", async () => {
    const { branches, done } = fanOut(chunks(0), 2, () => {});
    await Promise.all(branches.map(digest));
    expect(await done).toBe(0);
  });

  test("makes the source wait for the slowest branch, so that memory is bounded", async () => {
    let given = 0;
    const { branches, done } = fanOut(
      chunks(40, (count) => (given = count)),
      2,
      () => {},
    );
    const fast = digest(at(branches, 0));
    const slow = at(branches, 1);
    // the slow branch is full: the source stops although the fast one has read all there is
    await expect.poll(() => (slow as PassThrough).writableNeedDrain, PATIENCE).toBe(true);
    // turns in which a source that does not wait would be read to its end
    for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const held = slow.readableLength + (slow as PassThrough).writableLength;
    // readable side, writable side, and the one chunk that made each of them full
    expect(held).toBeLessThanOrEqual(2 * (BUFFERED + MIB));
    expect(given).toBeLessThan(12);
    expect(await digest(slow)).toBe(await fast);
    expect(await done).toBe(40 * MIB);
  });

  test("goes on without a branch that its consumer destroyed", async () => {
    const { branches, done } = fanOut(chunks(40), 3, () => {});
    at(branches, 1).destroy();
    const broken = at(branches, 2);
    broken.on("error", () => {});
    broken.once("data", () => broken.destroy(new Error("the target hung up")));
    expect(await digest(at(branches, 0))).toBe(await digest(chunks(40)));
    expect(await done).toBe(40 * MIB);
  });

  test.each(["without an error", "with an error"])(
    "goes on when the branch that it waits for is destroyed %s",
    async (how) => {
      const { branches, done } = fanOut(chunks(40), 2, () => {});
      const good = digest(at(branches, 0));
      const stuck = at(branches, 1);
      stuck.on("error", () => {});
      await expect.poll(() => (stuck as PassThrough).writableNeedDrain, PATIENCE).toBe(true);
      stuck.destroy(how === "with an error" ? new Error("time is up") : undefined);
      expect(await good).toBe(await digest(chunks(40)));
      expect(await done).toBe(40 * MIB);
    },
  );

  test("stops reading the source when all branches are gone, and closes it", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunks(1000);
      } finally {
        closed = true;
      }
    }
    const { branches, done } = fanOut(source(), 2, () => {});
    for (const branch of branches) branch.once("data", () => branch.destroy());
    expect(await done).toBeLessThan(1000 * MIB);
    expect(closed).toBe(true);
  });

  test("breaks every branch with the source's error", async () => {
    const error = new Error("the snapshot's stream broke");
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* chunks(3);
      throw error;
    }
    const { branches, done } = fanOut(source(), 2, () => {});
    const all = await Promise.all([...branches.map((branch) => failureOf(digest(branch))), failureOf(done)]);
    expect(all).toEqual([error, error, error]);
  });

  test("leaves no listeners behind on a branch that was full many times", async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warn);
    const { branches, done } = fanOut(chunks(150), 1, () => {});
    const branch = at(branches, 0);
    let bytes = 0;
    for await (const chunk of branch as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
    process.off("warning", warn);
    expect(bytes).toBe(await done);
    expect(branch.listenerCount("drain")).toBe(0);
    expect(branch.listenerCount("close")).toBeLessThan(5);
    expect(warnings).toEqual([]);
  });
});
