/** One stream into many, with back-pressure: the slowest live branch sets the pace, a dead one is left out. */
import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import { asError } from "../base/errors.ts";

/** Bytes that a branch may hold; times the number of branches, all the memory that a fan-out takes. */
const BRANCH_BUFFER = 1 << 20;

/**
 * `count` readable copies of `source`, and `done`, which settles when the source has been read to its end (or
 * every branch is gone) with the bytes read. An error of the source destroys all branches with it and rejects
 * `done`. The caller must consume or destroy every branch. `onChunk` sees each chunk once.
 */
export function fanOut(
  source: AsyncIterable<Uint8Array>,
  count: number,
  onChunk: (chunk: Uint8Array) => void,
): { readonly branches: readonly Readable[]; readonly done: Promise<number> } {
  const branches = Array.from({ length: count }, () => new PassThrough({ highWaterMark: BRANCH_BUFFER }));
  return { branches, done: pump(source, branches, onChunk) };
}

async function pump(
  source: AsyncIterable<Uint8Array>,
  branches: readonly PassThrough[],
  onChunk: (chunk: Uint8Array) => void,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of source) {
      const live = branches.filter((branch) => !branch.destroyed);
      if (live.length === 0) return bytes;
      onChunk(chunk);
      bytes += chunk.byteLength;
      const full = live.filter((branch) => !branch.write(chunk));
      await Promise.all(full.map(drained));
    }
    for (const branch of branches) branch.end();
    return bytes;
  } catch (error) {
    for (const branch of branches) branch.destroy(asError(error));
    throw error;
  }
}

async function drained(branch: PassThrough): Promise<void> {
  if (branch.destroyed || !branch.writableNeedDrain) return;
  const ended = new AbortController();
  const { signal } = ended;
  try {
    await Promise.race([once(branch, "drain", { signal }), once(branch, "close", { signal })]);
  } catch (error) {
    // `once` rejects when the branch emits an error: its consumer hears of that, we only stop waiting
    if (!branch.destroyed) throw error;
  } finally {
    ended.abort();
  }
}
