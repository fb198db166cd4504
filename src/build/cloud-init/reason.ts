/** Why a section failed, told by its own output. */

/** The frame's remarks and what `retry` says between tries: they tell that something failed, not why. */
const REMARK = /^(== |try \d+ failed: )/;

/** Kinds of telling lines, the most telling first. */
const TELLING: readonly RegExp[] = [
  // apt, and the sections themselves; apt's word on dpkg's exit code comes last and says least
  /^E: (?!Sub-process )/,
  /^(curl: \(|dpkg: error|npm err|error:|fatal:|snap: |tar: |gpg: )/i,
  /\b(error|failed|cannot|unable|not found|no such|denied|refused|timed out|mismatch)\b/i,
];

/** The line of a failed section's output that says why it failed: the last of the most telling kind; null for no output. */
export function tellingLine(lines: readonly string[]): string | null {
  const own = lines.map((line) => line.trim()).filter((line) => line !== "" && !REMARK.test(line));
  for (const kind of TELLING) {
    const found = own.findLast((line) => kind.test(line));
    if (found !== undefined) return found;
  }
  return own.at(-1) ?? null;
}
