import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { JournalEvent } from "../../../src/build/journal.ts";
import { createReporter } from "../../../src/cli/progress.ts";

const at = "2026-11-24T00:00:00.000Z";
const begin = (image: string, step: string): JournalEvent => ({ event: "step-started", at, image, step });
const progress = (image: string, done: number): JournalEvent => ({
  event: "progress",
  at,
  image,
  step: "upload the image",
  done,
  total: 1000,
});
const artifact = (cloud: string): JournalEvent => ({
  event: "artifact",
  at,
  spec: { base: "noble", arch: "x64" },
  cloud,
  imageId: "i-1",
  sizeBytes: 1,
  hash: "sha512:0",
});

/** What a terminal of 80 columns shows after all that was written to it: it knows the few codes that are used. */
class Screen {
  readonly isTTY = true;
  readonly columns = 80;
  readonly lines: string[] = [""];
  #row = 0;

  write(text: string): boolean {
    // oxlint-disable-next-line no-control-regex -- the codes are what a terminal gets
    for (const part of text.split(/(\r|\n|\u001b\[K|\u001b\[1A)/)) {
      if (part === "\n") this.lines[(this.#row += 1)] ??= "";
      else if (part === "\u001b[1A") this.#row -= 1;
      else if (part === "\u001b[K") this.lines[this.#row] = "";
      else if (part !== "\r") this.lines[this.#row] += part;
    }
    return true;
  }

  get shown(): readonly string[] {
    return this.lines.map((line) => line.trimEnd());
  }
}

describe("on a terminal", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("each image that is worked on has a line with a bar, below the lines of what is done", () => {
    const screen = new Screen();
    using reporter = createReporter(screen as unknown as NodeJS.WriteStream);
    reporter.report(begin("noble-x64", "upload the image"));
    reporter.report({ event: "targets", at, image: "noble-x64", clouds: ["a", "b", "c"] });
    reporter.report(begin("jammy-x64", "run cloud-init"));
    reporter.report(progress("noble-x64", 629));
    vi.advanceTimersByTime(12_000);
    expect(screen.shown).toEqual([
      "00:12  noble-x64: upload the image 0/3 clouds [#############       ]  62 % 12s",
      "00:12  jammy-x64: run cloud-init 12s",
    ]);
    reporter.report(artifact("a"));
    vi.advanceTimersByTime(250);
    expect(screen.shown).toEqual([
      "00:12  noble-x64: image i-1 in a, verified",
      "00:12  noble-x64: upload the image 1/3 clouds [#############       ]  62 % 12s",
      "00:12  jammy-x64: run cloud-init 12s",
    ]);
    reporter.report({
      event: "step-ended",
      at,
      image: "jammy-x64",
      step: "run cloud-init",
      ms: 13_000,
      error: null,
    });
    vi.advanceTimersByTime(250);
    expect(screen.shown.filter((line) => line !== "")).toEqual([
      "00:12  noble-x64: image i-1 in a, verified",
      "00:12  jammy-x64: run cloud-init: 13s",
      "00:12  noble-x64: upload the image 1/3 clouds [#############       ]  62 % 13s",
    ]);
  });

  test("the lines are gone at the end, and are no longer than the terminal is wide", () => {
    const screen = new Screen();
    {
      using reporter = createReporter(screen as unknown as NodeJS.WriteStream);
      reporter.report(begin("noble-x64", "x".repeat(200)));
      vi.advanceTimersByTime(250);
      expect(screen.shown[0]).toHaveLength(79);
    }
    expect(screen.shown).toEqual([""]);
  });
});

test("without a terminal there are whole lines only", () => {
  const texts: string[] = [];
  const output = { isTTY: false, write: (text: string) => texts.push(text) };
  {
    using reporter = createReporter(output as unknown as NodeJS.WriteStream);
    reporter.report(begin("noble-x64", "upload the image"));
    reporter.report(progress("noble-x64", 1_000_000));
    reporter.report(artifact("a"));
  }
  expect(texts.every((text) => /^\d\d:\d\d {2}[^\r\n]*\n$/.test(text))).toBe(true);
  expect(texts).toHaveLength(3);
});
