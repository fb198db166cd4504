/** From a failing sequence to a small one. */

/**
 * A sequence from which no single item can be dropped: `fails` is asked with ever smaller parts of `items`, halves
 * first. Ends early, with the smallest found so far, when `signal` fires.
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  let smallest = items;
  for (let size = Math.ceil(items.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = smallest.length - size; at >= 0 && !signal.aborted;) {
      const without = [...smallest.slice(0, at), ...smallest.slice(at + size)];
      if (await fails(without)) smallest = without;
      at -= at > 0 ? Math.min(size, at) : 1;
    }
  }
  return smallest;
}
