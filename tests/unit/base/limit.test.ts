import { describe, expect, test } from "vitest";
import { mapLimit } from "../../../src/base/limit.ts";

describe("mapLimit", () => {
  test("runs no more than so many at a time, and all of them", async () => {
    let running = 0;
    let most = 0;
    const results = await mapLimit([...Array(20).keys()], 3, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return item * 2;
    });
    expect(most).toBe(3);
    expect(results).toHaveLength(20);
  });

  test("gives the results in the items' order, failures among them", async () => {
    const results = await mapLimit(["slow", "bad", "fast"], 3, async (item, index) => {
      for (let turn = 0; turn < 3 - index; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      if (item === "bad") throw new Error("no");
      return item;
    });
    expect(results).toEqual([
      { status: "fulfilled", value: "slow" },
      { status: "rejected", reason: new Error("no") },
      { status: "fulfilled", value: "fast" },
    ]);
  });

  test.each([0, -1])("still runs with a limit of %i, and gives nothing for nothing", async (limit) => {
    expect(await mapLimit([1], limit, async (item) => item)).toEqual([{ status: "fulfilled", value: 1 }]);
    expect(await mapLimit([], limit, async (item) => item)).toEqual([]);
  });
});
