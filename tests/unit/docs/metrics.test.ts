import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readPacked } from "../../../scripts/cos/pack.ts";
import { FAMILIES, PREFIX, type Family } from "../../../src/build/metrics/families.ts";

const page = await readFile(new URL("../../../docs/reference/metrics.md", import.meta.url), "utf8");

/** The cells of the table below the heading `title`, without its head. */
function rowsOf(title: string): readonly (readonly string[])[] {
  const [, section = ""] = page.split(`\n## ${title}\n`);
  const [body = ""] = section.split("\n## ");
  return body
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const code = (text: string): string => `\`${text}\``;

describe("the page about metrics", () => {
  test("has every metric with its type, labels and meaning, and no other", () => {
    const families: readonly (readonly [string, Family])[] = Object.entries(FAMILIES);
    expect(rowsOf("Metrics")).toEqual(
      families.map(([name, { type, labels, help }]) => [code(name), type, labels.map(code).join(", "), help]),
    );
    expect(page).toContain(code(PREFIX));
  });

  test("has every alert with its severity and what it is about, and no other", async () => {
    const { metricsRules, logRules } = await readPacked();
    const rows = [...metricsRules, ...logRules].flatMap(({ rules }) =>
      rules.map(({ alert, labels, annotations, for: time }) => [
        code(alert),
        labels["severity"],
        time ?? "",
        (annotations["summary"] ?? "").replace(/\{\{ \$(?:labels\.)?(?:juju_)?(\w+) \}\}/g, "*$1*"),
      ]),
    );
    expect(rowsOf("Alerts")).toEqual(rows);
  });
});
