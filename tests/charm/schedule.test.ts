import { readFile, stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { minuteOf, nextTick, readTicks } from "../../src/build/ticks.ts";
import { isMissing } from "../../src/base/files.ts";
import { NOBLE } from "../support/charm-builds.ts";
import { deployRelated } from "../support/charm-requirers.ts";
import type { Deployed } from "../support/charm.ts";

/** One deployment goes through all tests of this file, in their order. */
describe("the option schedule", () => {
  let charm: Deployed;
  let byInterval: string;

  beforeAll(async () => {
    const related = await deployRelated();
    charm = related.charm;
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [related.cloud]: "image-1" } }],
    });
    await charm.wake();
    byInterval = await cronLine();
  });
  afterAll(async () => await charm[Symbol.asyncDispose]());

  const cronLine = async (): Promise<string> =>
    (await readFile(charm.paths.cronFile, "utf8")).trimEnd().split("\n").at(-1) ?? "";
  /** What the status has to end with by the file that the command line reads. */
  const nextBuild = async (): Promise<string> => {
    const ticks = await readTicks(charm.paths.scheduleFile);
    const next = ticks === null ? null : nextTick(ticks, new Date(), null);
    return next === null ? "no schedule" : `, next build ${minuteOf(next)}`;
  };
  // far away, but for the one minute of the year in which its next time changes
  const EXPRESSION = "59 23 31 dec *";

  it("leaves the interval to cron as long as it is empty, and the status tells the age of the image", async () => {
    expect(byInterval).toMatch(/^\d+ \* \* \* \* root \[ .* \\% 6 \)\) -eq [0-5] \] && flock --nonblock /);
    expect(charm.status()).toMatch(
      /^active noble-x64 of \d{4}-\d\d-\d\d \d\d:\d\d UTC \(less than 1 h old\), published to 1 of 1 relations, next build /,
    );
    expect(charm.status().endsWith(await nextBuild())).toBe(true);
  });

  it("goes into the cron file as it is, and the status and the command line tell its next time", async () => {
    await charm.configure({ schedule: EXPRESSION });
    expect(await cronLine()).toBe(`${EXPRESSION} root ${byInterval.slice(byInterval.indexOf("flock "))}`);
    const ticks = await readTicks(charm.paths.scheduleFile);
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    expect(ticks).toMatchObject({ kind: "cron", expression: EXPRESSION, zone: timeZone });
    expect(charm.status().endsWith(await nextBuild())).toBe(true);
    expect(await charm.builds()).toHaveLength(2);
  });

  it("costs an idle update-status nothing", async () => {
    expect(await charm.updateStatusCommands()).toEqual(["secret-get", "status-set"]);
    expect(charm.status().endsWith(await nextBuild())).toBe(true);
  });

  it("blocks with a sentence when it is wrong, and cron goes by the one before", async () => {
    const before = await cronLine();
    await charm.configure({ schedule: "0 25 * * *" });
    expect(charm.status()).toBe('blocked schedule: "25" is no hour that cron understands');
    await charm.configure({ schedule: "0 0 30 2 *" });
    expect(charm.status()).toBe('blocked schedule: "0 0 30 2 *" names a day that never comes');
    expect(await cronLine()).toBe(before);
    expect(await readTicks(charm.paths.scheduleFile)).toMatchObject({ expression: EXPRESSION });
    expect(charm.failures()).toEqual([]);
  });

  it("gives way to the interval when it is emptied", async () => {
    await charm.configure({ schedule: "" });
    expect(await cronLine()).toBe(byInterval);
    expect(await readTicks(charm.paths.scheduleFile)).toMatchObject({ kind: "interval", intervalHours: 6 });
    expect(charm.status()).toMatch(/^active noble-x64 /);
    expect(charm.status().endsWith(await nextBuild())).toBe(true);
  });

  it("is not told any more from stop on", async () => {
    await charm.fire("hooks/stop");
    const isGone = async (path: string): Promise<boolean> =>
      await stat(path).then(
        () => false,
        (error: unknown) => isMissing(error),
      );
    expect([await isGone(charm.paths.cronFile), await isGone(charm.paths.scheduleFile)]).toEqual([
      true,
      true,
    ]);
  });
});
