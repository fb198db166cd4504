import { describe, expect, test } from "vitest";
import { boundedOutput, LONGEST_OUTPUT } from "../../../../src/build/steps/guest-output.ts";

describe("a guest's output", () => {
  test("is handed on whole while it is short", () => {
    const lines: string[] = [];
    const told: string[] = [];
    {
      using output = boundedOutput(
        (line) => lines.push(line),
        (sentence) => told.push(sentence),
      );
      output.take("a");
      output.take("");
    }
    expect({ lines, told }).toEqual({ lines: ["a", ""], told: [] });
  });

  test("is cut where it has no end, and that is told once", () => {
    let kept = 0;
    const told: string[] = [];
    {
      using output = boundedOutput(
        (line) => (kept += line.length + 1),
        (sentence) => told.push(sentence),
      );
      const line = "y".repeat(1023);
      for (let at = 0; at < 1024 * 1024; at += 1) output.take(line);
    }
    expect(kept).toBe(LONGEST_OUTPUT);
    expect(told).toEqual(["the guest printed 1024 MiB; 1032192 lines after the first 16 MiB were left out"]);
  });
});
