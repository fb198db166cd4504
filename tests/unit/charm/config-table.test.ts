import { readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { parseOptions } from "../../../src/charm/config.ts";
import { LONGEST_MESSAGE } from "../../../src/juju/index.ts";
import { HIDDEN, OPTION_ROWS } from "../../support/bad-options.ts";
import { RAW_CONFIG } from "../../support/facts.ts";

/** A value as a title: short, and nothing that a terminal would obey. */
function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  const printable = text.replace(/[^ -~]/g, (c) => `U+${c.charCodeAt(0).toString(16)}`);
  return printable.length > 60 ? `${printable.slice(0, 60)}... (${text.length} characters)` : printable;
}

/** Whether `sentence` repeats more than 40 characters in a row of `input`. */
function repeats(sentence: string, input: string): boolean {
  const window = 41;
  for (let at = 0; at + window <= sentence.length; at += 1) {
    if (input.includes(sentence.slice(at, at + window))) return true;
  }
  return false;
}

test("every option of config.yaml has a row, and every row an option", async () => {
  const yaml = await readFile(new URL("../../../config.yaml", import.meta.url), "utf8");
  const { options } = load(yaml) as { options: Record<string, unknown> };
  expect(Object.keys(OPTION_ROWS).toSorted()).toEqual(Object.keys(options).toSorted());
  for (const row of Object.values(OPTION_ROWS)) {
    expect(row.bad.length).toBeGreaterThan(5);
    expect(row.good.length).toBeGreaterThan(1);
  }
});

describe.each(Object.entries(OPTION_ROWS))("%s", (option, { bad, good }) => {
  test.each(bad.map(({ value, sentence }) => [shown(value), value, sentence] as const))(
    "is refused as %s, by one sentence and no other option's",
    async (_shown, value, sentence) => {
      const config = await parseOptions({ ...RAW_CONFIG, [option]: value });
      expect(config instanceof ConfigError ? config.problems : []).toEqual([sentence]);
    },
  );

  test.each(good.map((value) => [shown(value), value] as const))("may be %s", async (_shown, value) => {
    const config = await parseOptions({ ...RAW_CONFIG, [option]: value });
    expect(config instanceof ConfigError ? config.problems : []).toEqual([]);
  });

  test("is named by sentences fit for a status, which repeat no more than 40 characters of the input", () => {
    for (const { value, sentence } of bad) {
      expect(sentence).toContain(option);
      expect(sentence.length).toBeLessThan(LONGEST_MESSAGE / 2);
      expect(sentence).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      expect(sentence).not.toContain(HIDDEN);
      expect(repeats(sentence, String(value))).toBe(false);
    }
  });
});

test("all options at once are refused by one sentence each", async () => {
  const raw = Object.fromEntries(
    Object.entries(OPTION_ROWS).map(([option, { bad }]) => [option, bad.at(-1)?.value ?? ""]),
  );
  const config = await parseOptions(raw);
  const problems = config instanceof ConfigError ? config.problems : [];
  const sentences = Object.values(OPTION_ROWS).map(({ bad }) => bad.at(-1)?.sentence);
  expect(new Set(problems)).toEqual(new Set(sentences));
  expect(problems).toHaveLength(sentences.length);
});

test("a number that Juju gives as text is refused, as true is", async () => {
  expect(await parseOptions({ ...RAW_CONFIG, "build-interval": "6" })).toBeInstanceOf(ConfigError);
  expect(await parseOptions({ ...RAW_CONFIG, "build-interval": true })).toBeInstanceOf(ConfigError);
});

test("what is refused is refused quickly, whatever its size", async () => {
  const started = performance.now();
  for (const { bad } of Object.values(OPTION_ROWS)) {
    for (const { value } of bad) await parseOptions({ ...RAW_CONFIG, "apt-packages": value, snaps: value });
  }
  expect(performance.now() - started).toBeLessThan(5_000);
});
