import { describe, expect, test } from "vitest";
import { registerSecret } from "../../../src/base/redact.ts";
import { lineSplitter } from "../../../src/ssh/lines.ts";

function split(...chunks: readonly (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const splitter = lineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe("lineSplitter", () => {
  test("joins a line that comes in pieces and keeps empty lines", () => {
    expect(split("on", "e\n\ntw", "o\n")).toEqual(["one", "", "two"]);
  });

  test("hands on a last line without its end", () => {
    expect(split("one\ntwo")).toEqual(["one", "two"]);
  });

  test("takes the carriage return off a line", () => {
    expect(split("one\r\ntwo\r", "\n")).toEqual(["one", "two"]);
  });

  test("keeps a character whose bytes come in two chunks", () => {
    const bytes = Buffer.from("größer 🎉\n");
    for (let at = 1; at < bytes.length; at += 1) {
      expect(split(bytes.subarray(0, at), bytes.subarray(at))).toEqual(["größer 🎉"]);
    }
  });

  test("hands on a line of 20 000 characters in pieces of at most 8192, losing none", () => {
    const long = "x".repeat(20_000);
    const lines = split(...(long.match(/.{1,999}/g) ?? []), "\nshort\n");
    expect(lines.join("")).toBe(`${long}short`);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(8192);
    expect(lines.at(-1)).toBe("short");
  });

  test("never cuts a secret in two", () => {
    const secret = "cut-me-in-two-if-you-can";
    registerSecret(secret);
    for (let before = 8192 - secret.length; before <= 8192; before += 1) {
      const long = `${"x".repeat(before)}${secret}${"y".repeat(20_000)}`;
      const lines = split(...(long.match(/.{1,1000}/g) ?? []), "\n");
      expect(lines.join("")).toBe(`${"x".repeat(before)}[redacted]${"y".repeat(20_000)}`);
    }
  });

  test("says nothing for no input", () => {
    expect(split()).toEqual([]);
  });
});
