/** Plain data that nobody can change. */

/** A copy of `value` (plain data) that is frozen to its last leaf; `value` itself stays as it is. */
export function freezeCopy<T>(value: T): T {
  return freeze(structuredClone(value));
}

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
