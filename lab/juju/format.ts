/** How hook commands print values (contract 3.1). */
import { writeYaml } from "./yaml.ts";

/** The values of `--format`. */
export const FORMATS = ["smart", "yaml", "json"] as const;

/** One of the three values of `--format`. */
export type Format = (typeof FORMATS)[number];

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** `value` as Go's encoding/json writes it: one line, keys sorted, HTML characters escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(sorted(value)).replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character] ?? "");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}

/** `value` on standard output in `format`; the empty text where nothing is printed. */
export function formatValue(value: unknown, format: Format): string {
  if (format === "json") return `${goJson(value)}\n`;
  if (format === "yaml") return writeYaml(value);
  const text = smart(value);
  return text === "" ? "" : `${text}\n`;
}

function smart(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value.join("\n");
  return writeYaml(value).replace(/\n$/, "");
}
