/** Random choices that a seed repeats. */

/** Draws from a stream of numbers that its seed fixes. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  readonly whole: (below: number) => number;
  readonly pick: <T>(items: readonly [T, ...T[]]) => T;
}

/** The stream of `seed` (a whole number), by mulberry32. */
export function randomOf(seed: number): Random {
  let state = Math.trunc(seed);
  const whole = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  return { whole, pick: ([first, ...rest]) => [first, ...rest][whole(rest.length + 1)] ?? first };
}
