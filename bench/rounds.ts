/** Wall time of processes, measured side by side. */
import { spawn } from "node:child_process";

/** A process to measure. */
export interface Variant {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Milliseconds per round, by the variant's name; all of one round belong together. */
export type Timings = ReadonlyMap<string, readonly number[]>;

/**
 * Runs every variant once per round, in an order that differs from round to round, so that load on the machine
 * meets all of them alike. Two rounds before fill the caches. Throws when a process fails.
 */
export async function measure(variants: readonly Variant[], rounds: number): Promise<Timings> {
  const timings = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const variant of shuffled(variants)) {
      const ms = await run(variant);
      if (round >= 0) timings.get(variant.name)?.push(ms);
    }
  }
  return timings;
}

/** The middle of `values`. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

/** Median of each round's quotient of two variants: what load does to a round, it does to both. */
export function ratio(timings: Timings, of: string, to: string): number {
  const below = timings.get(to) ?? [];
  return median((timings.get(of) ?? []).map((ms, round) => ms / (below[round] ?? Number.NaN)));
}

async function run({ name, command: [file, ...parameters], cwd, env }: Variant): Promise<number> {
  return await new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(file, parameters, { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve(performance.now() - began);
      else reject(new Error(`cannot measure ${name}: it exited with ${code}`));
    });
  });
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
