import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  formatTicks,
  longestGap,
  minuteOf,
  nextTick,
  readTicks,
  type Ticks,
} from "../../../src/build/ticks.ts";
import { parseExpression } from "../../../src/charm/cron-expression.ts";

const interval: Ticks = { kind: "interval", intervalHours: 5, minute: 17, hour: 3 };

describe("ticks", () => {
  test("of an interval come in even gaps, at their hour and minute since the epoch", () => {
    const first = nextTick(interval, new Date("2026-11-23T00:00:00Z"), null) ?? new Date(Number.NaN);
    expect(first.getTime() % (5 * 3_600_000)).toBe(3 * 3_600_000 + 17 * 60_000);
    const second = nextTick(interval, first, null);
    expect((second?.getTime() ?? 0) - first.getTime()).toBe(5 * 3_600_000);
  });

  test.each([
    ["30 3 * * 1-5", 72],
    ["0 */6 * * *", 6],
    ["0 3 1 * *", 31 * 24],
    ["* * * * *", 1 / 60],
    ["0 0 31 2 *", null],
  ])("of %s are at most %s hours apart", (expression, hours) => {
    const cron = parseExpression(expression, "UTC");
    const gap = "problem" in cron ? null : longestGap(cron, new Date("2026-11-23T00:00:00Z"), null);
    expect(gap).toBe(hours === null ? null : hours * 3_600_000);
  });

  test("of an interval are one interval apart", () => {
    expect(longestGap(interval, new Date(), null)).toBe(5 * 3_600_000);
  });

  test("survive the file that the command line reads", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "ticks-"));
    const path = join(folder.path, "schedule.json");
    expect(await readTicks(path)).toBeNull();
    const cron = parseExpression("0 3 13 * fri", "Europe/Berlin");
    if ("problem" in cron) throw new Error(cron.problem);
    for (const ticks of [interval, cron]) {
      await writeFile(path, formatTicks(ticks));
      expect(await readTicks(path)).toEqual(ticks);
    }
  });

  test.each([
    ["torn", '{"kind":"inter'],
    ["of a kind that a newer revision knows", '{"kind":"lunar"}'],
    ["that never ends to look for a tick", JSON.stringify({ ...interval, hour: 5 })],
  ])("in a file %s are none", async (_what, text) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "ticks-"));
    const path = join(folder.path, "schedule.json");
    await writeFile(path, text);
    expect(await readTicks(path)).toBeNull();
  });
});

test("a minute is told in UTC", () => {
  expect(minuteOf(new Date("2026-11-23T20:31:59.999+01:00"))).toBe("2026-11-23 19:31 UTC");
});
