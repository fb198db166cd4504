import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { limitOption, limitsWith, LIMITS, parseLimits, type LimitName } from "../../../src/base/limits.ts";

const names = Object.keys(LIMITS) as LimitName[];

const UNITS = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

describe("time limits", () => {
  test("are what the page says, each by its name", async () => {
    const page = await readFile(new URL("../../../docs/reference/limits.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d+)([smh]) \|/gm)].map(
      ([, name = "", amount, unit = ""]) => [name, Number(amount) * (UNITS.get(unit) ?? 0)],
    );
    expect(rows).toEqual(names.map((name) => [limitOption(name), LIMITS[name]]));
  });

  test("are changed one by one", () => {
    const changes = parseLimits("script=90m, cloud-init=5400s\nupload=3h");
    expect(changes).toEqual({ script: 5_400_000, cloudInit: 5_400_000, upload: 10_800_000 });
    expect(limitsWith({ script: 1 })).toEqual({ ...LIMITS, script: 1 });
  });
});
