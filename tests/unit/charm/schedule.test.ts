import { chmod, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pathsOf } from "../../../src/build/paths.ts";
import { cronFile, nextRun, offsetOf, type Schedule } from "../../../src/charm/schedule.ts";
import { bash } from "../../support/shell.ts";

const schedule: Schedule = {
  unit: "builder/0",
  modelUuid: "0e2f1a52-3f4b-4c5d-8e6f-7a8b9c0d1e2f",
  intervalHours: 6,
  jujuExec: "/usr/bin/juju-exec",
  lockFile: "/run/lock/builder-0",
};
const HOUR = 3600;
/** Beginnings of two hours: of a leap day, and one after 2038. */
const EPOCHS = [1_709_164_800, 2_200_003_200];
const INTERVALS = Array.from({ length: 24 }, (_, index) => index + 1);

/** The cron line of `of`, as cron gives it to the shell. */
function lineOf(of: Schedule): { readonly minute: number; readonly command: string } {
  const line = cronFile(of).split("\n").at(-2) ?? "";
  const match = /^(\d+) \* \* \* \* root (.*)$/.exec(line);
  if (match === null) throw new Error(`"${line}" is no cron line`);
  return { minute: Number(match[1]), command: (match[2] ?? "").replaceAll("\\%", "%") };
}

/** Seconds of the hours after `from` in which the guard of `of` lets a tick through, asked of a real sh. */
async function ticks(of: Schedule, from: number, hours: number): Promise<readonly number[]> {
  const { minute, command } = lineOf(of);
  const guard = command.slice(0, command.indexOf(" && "));
  const script = `
    date() { echo "$now"; }
    now=${from + minute * 60}
    for n in $(seq ${hours}); do
      ${guard} && echo "$now"
      now=$((now + ${HOUR}))
    done; :`;
  const output = await bash(`exec sh -c '${script.replaceAll("'", `'\\''`)}'`);
  return output.split("\n").slice(0, -1).map(Number);
}

describe("the cron entry", () => {
  test.each(INTERVALS)("fires in even gaps for every %i hours, whenever one looks", async (intervalHours) => {
    const of = { ...schedule, intervalHours };
    for (const epoch of EPOCHS) {
      const fired = await ticks(of, epoch, intervalHours * 5);
      expect(fired).toHaveLength(5);
      const gaps = fired.slice(1).map((time, index) => time - (fired[index] ?? 0));
      expect(new Set(gaps)).toEqual(new Set([intervalHours * HOUR]));
    }
  });

  test.each([1, 5, 6, 7, 23, 24])("fires when nextRun says, every %i hours", async (intervalHours) => {
    const of = { ...schedule, intervalHours };
    for (const epoch of EPOCHS) {
      const [first = 0, second = 0] = await ticks(of, epoch, intervalHours * 2);
      expect(nextRun(of, new Date((first - 1) * 1000))).toEqual(new Date(first * 1000));
      expect(nextRun(of, new Date(first * 1000))).toEqual(new Date(second * 1000));
      expect(nextRun(of, new Date((first + 61) * 1000))).toEqual(new Date(second * 1000));
    }
  });

  test("spreads units over the hour and the interval, and is the same each time", () => {
    const offsets = Array.from({ length: 40 }, (_, index) =>
      offsetOf({ ...schedule, unit: `builder/${index}` }),
    );
    expect(new Set(offsets.map(({ minute }) => minute)).size).toBeGreaterThan(15);
    expect(new Set(offsets.map(({ hour }) => hour)).size).toBe(6);
    expect(offsetOf(schedule)).toEqual(offsetOf({ ...schedule }));
    expect(cronFile(schedule)).toBe(cronFile({ ...schedule }));
    expect(offsetOf(schedule)).not.toEqual(offsetOf({ ...schedule, modelUuid: "another" }));
  });

  test("is a file that cron reads: newline at the end, each % escaped, a user, a name without dots", () => {
    const text = cronFile(schedule);
    expect(text.endsWith("\n")).toBe(true);
    expect(text.replaceAll("\\%", "")).not.toContain("%");
    expect(text).toMatch(/^SHELL=\/bin\/sh$/m);
    // run-parts' rule, which cron applies to /etc/cron.d
    expect(pathsOf("/", "builder/0").cronFile).toMatch(/^\/etc\/cron\.d\/[A-Za-z0-9_-]+$/);
  });

  test("runs juju-exec with the unit and one command, and drops a tick while the last one still waits", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "schedule-"));
    const jujuExec = join(folder.path, "juju-exec");
    const log = join(folder.path, "log");
    // while it runs, the same line is tried once more
    const again = join(folder.path, "again.sh");
    await writeFile(
      jujuExec,
      `#!/bin/sh\nprintf '%s\\n' "$#" "$@" >> ${log}\n[ -n "$NESTED" ] || NESTED=1 sh ${again} || echo dropped >> ${log}\n`,
    );
    await chmod(jujuExec, 0o755);
    const lockFile = join(folder.path, "lock");
    const { command } = lineOf({ ...schedule, jujuExec, lockFile, intervalHours: 1 });
    await writeFile(again, command);
    await bash(command);
    expect(await readFile(log, "utf8")).toBe(`2\nbuilder/0\nJUJU_DISPATCH_PATH=run ./dispatch\ndropped\n`);
  });
});
