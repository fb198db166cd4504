import { describe, expect, it } from "vitest";
import { randomOf } from "../../../support/property/random.ts";
import { shrink } from "../../../support/property/shrink.ts";
import { chosen, drawSteps } from "../../../support/property/steps.ts";

const never = new AbortController().signal;
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number);

describe("shrinking", () => {
  it.each([
    ["one item", [7]],
    ["two items far apart", [2, 19]],
    ["neighbours", [9, 10, 11]],
    ["both ends", [0, 20]],
    ["all", numbers(21)],
  ])("leaves %s when these alone make it fail", async (_, needed) => {
    const fails = async (items: readonly number[]): Promise<boolean> =>
      needed.every((item) => items.includes(item));
    expect(await shrink(numbers(21), fails, never)).toEqual(needed);
  });

  it("leaves nothing of a sequence that fails without any step", async () => {
    expect(await shrink(numbers(5), async () => true, never)).toEqual([]);
  });

  it("gives the smallest so far when its time is over", async () => {
    const over = new AbortController();
    const fails = async (items: readonly number[]): Promise<boolean> => {
      if (items.length <= 11) over.abort();
      return items.includes(0);
    };
    const smallest = await shrink(numbers(21), fails, over.signal);
    expect(smallest).toContain(0);
    expect(smallest.length).toBeLessThan(21);
    expect(smallest.length).toBeGreaterThan(1);
  });
});

describe("a seed", () => {
  it("gives the same steps again, another one others", () => {
    const stepsOf = (seed: number): string => JSON.stringify(drawSteps(randomOf(seed), 30));
    expect(stepsOf(5)).toBe(stepsOf(5));
    expect(stepsOf(5)).not.toBe(stepsOf(6));
  });

  it("brings every kind of step sooner or later", () => {
    const kinds = new Set(drawSteps(randomOf(1), 2_000).map((step) => step.do));
    expect(kinds.size).toBe(20);
  });
});

it("a number names an element however many there are, and none of none", () => {
  expect(chosen(["a", "b", "c"], 7)).toBe("b");
  expect(chosen([], 7)).toBeUndefined();
});
