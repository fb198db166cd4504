/** Values that must not be seen, and the filter that keeps them out of every text that leaves the program. */

const secrets = new Set<string>();

/** Shorter values would blank out ordinary words; nothing that short protects anything. */
const SHORTEST_SECRET = 4;

/** Remembers `value` for the life of the process; all its usual spellings are redacted from then on. */
export function registerSecret(value: string): void {
  if (value.length < SHORTEST_SECRET) return;
  for (const line of [value, ...value.split(/\r?\n/)]) {
    if (line.length < SHORTEST_SECRET) continue;
    secrets.add(line);
    // as in a text that was made one line
    secrets.add(line.replace(/\s+/g, " ").trim());
    secrets.add(JSON.stringify(line).slice(1, -1));
    secrets.add(encodeURIComponent(line));
    secrets.add(Buffer.from(line).toString("base64"));
    secrets.add(line.replaceAll("'", `'\\''`));
  }
}

/** `text` with every registered secret replaced by `[redacted]`, longest first. */
export function redact(text: string): string {
  let result = text;
  for (const secret of [...secrets].toSorted((a, b) => b.length - a.length)) {
    if (result.includes(secret)) result = result.replaceAll(secret, "[redacted]");
  }
  return result;
}
