import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { waitFor } from "../../../src/base/deadline.ts";
import { readOptional } from "../../../src/base/files.ts";
import { pathsOf } from "../../../src/build/paths.ts";
import { nextTick } from "../../../src/build/ticks.ts";
import { parseExpression } from "../../../src/charm/cron-expression.ts";
import { cronFile, offsetOf, ticksOf, type Schedule, type Timing } from "../../../src/charm/schedule.ts";
import { bash } from "../../support/shell.ts";

const schedule: Schedule = {
  unit: "builder/0",
  application: "builder",
  modelUuid: "0e2f1a52-3f4b-4c5d-8e6f-7a8b9c0d1e2f",
  timing: { kind: "interval", hours: 6 },
  jujuExec: "/usr/bin/juju-exec",
  lockFile: "/run/lock/builder-0",
  checksReleases: false,
};
const every = (hours: number): Timing => ({ kind: "interval", hours });
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
    const of = { ...schedule, timing: every(intervalHours) };
    for (const epoch of EPOCHS) {
      const fired = await ticks(of, epoch, intervalHours * 5);
      expect(fired).toHaveLength(5);
      const gaps = fired.slice(1).map((time, index) => time - (fired[index] ?? 0));
      expect(new Set(gaps)).toEqual(new Set([intervalHours * HOUR]));
    }
  });

  test.each([1, 5, 6, 7, 23, 24])("fires when the ticks say, every %i hours", async (intervalHours) => {
    const of = { ...schedule, timing: every(intervalHours) };
    const next = (seconds: number): Date | null =>
      nextTick(ticksOf(of, of.timing, 0), new Date(seconds * 1000), null);
    for (const epoch of EPOCHS) {
      const [first = 0, second = 0] = await ticks(of, epoch, intervalHours * 2);
      expect(next(first - 1)).toEqual(new Date(first * 1000));
      expect(next(first)).toEqual(new Date(second * 1000));
      expect(next(first + 61)).toEqual(new Date(second * 1000));
    }
  });

  test("spreads applications over the hour and the interval, and is the same each time", () => {
    const offsets = Array.from({ length: 40 }, (_, index) =>
      offsetOf({ ...schedule, application: `builder-${index}` }, 6),
    );
    expect(new Set(offsets.map(({ minute }) => minute)).size).toBeGreaterThan(15);
    expect(new Set(offsets.map(({ hour }) => hour)).size).toBe(6);
    expect(offsetOf(schedule, 6)).toEqual(offsetOf({ ...schedule }, 6));
    expect(offsetOf(schedule, 6)).not.toEqual(offsetOf({ ...schedule, modelUuid: "another" }, 6));
  });

  test("ticks at the same time on every unit of an application", () => {
    const times = ["builder/0", "builder/17"].map((unit) => cronFile({ ...schedule, unit }).split(" && ")[0]);
    expect(times[0]).toBe(times[1]);
  });

  test("is, byte for byte", () => {
    const head =
      "# Written by the charm github-runner-image-builder; changes are overwritten.\n" +
      "SHELL=/bin/sh\n" +
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
    const run =
      'flock --nonblock /run/lock/builder-0 /usr/bin/juju-exec builder/0 "JUJU_DISPATCH_PATH=run ./dispatch"\n';
    expect(cronFile(schedule)).toBe(
      `${head}22 * * * * root [ $(( $(date +\\%s) / 3600 \\% 6 )) -eq 4 ] && ${run}`,
    );
    const timing = parseExpression("30 3 * jan-mar Mon", "UTC");
    if ("problem" in timing) throw new Error(timing.problem);
    expect(cronFile({ ...schedule, timing })).toBe(`${head}30 3 * jan-mar Mon root ${run}`);
  });

  test("fires when the ticks say where the clock is half an hour off", () => {
    const { minute, hour } = offsetOf(schedule, 6);
    // Kolkata: cron's minute m is the minute m - 30 of UTC
    const ticks = ticksOf(schedule, every(6), 330);
    expect(ticks).toEqual({ kind: "interval", intervalHours: 6, minute: (minute + 30) % 60, hour });
    expect(ticksOf(schedule, every(6), -210)).toEqual(ticks);
    expect(ticksOf(schedule, every(6), -300)).toMatchObject({ minute });
  });

  test("is a file that cron reads: newline at the end, each % escaped, a user, a name without dots", () => {
    const text = cronFile(schedule);
    expect(text.endsWith("\n")).toBe(true);
    expect(text.replaceAll("\\%", "")).not.toContain("%");
    expect(text).toMatch(/^SHELL=\/bin\/sh$/m);
    // run-parts' rule, which cron applies to /etc/cron.d
    expect(pathsOf("/", "builder/0").cronFile).toMatch(/^\/etc\/cron\.d\/[A-Za-z0-9_-]+$/);
  });

  // what cron hands to the shell, as its do_command.c unescapes it
  const unescaped = (command: string): string => command.replaceAll(/\\([\\%])/g, "$1");

  test.each([
    ["a plain path", "juju-exec"],
    ["a path with blanks", "usr local bin"],
    ["a path with a %", "100% juju"],
    ["a path with all that a shell takes for its own", `it's "$HOME" \\% \\\\ & ; *`],
  ])("drops a tick while the last one still runs, at %s", async (_what, name) => {
    await using temporary = await mkdtempDisposable(join(tmpdir(), "schedule-"));
    const folder = join(temporary.path, name);
    await mkdir(folder);
    const [jujuExec, lockFile] = [join(folder, "juju-exec"), join(folder, "cron lock")];
    // says what it was given, then works until the test has seen the second tick
    await writeFile(
      jujuExec,
      `#!/bin/sh\nprintf '%s\\n' "$#" "$@" >> log\n: > started\ncat gate > /dev/null\n`,
    );
    await chmod(jujuExec, 0o755);
    const [line = ""] = cronFile({ ...schedule, jujuExec, lockFile, timing: every(1) })
      .split("\n")
      .slice(-2);
    const command = unescaped(line.slice(line.indexOf(" root ") + " root ".length));
    const cwd = temporary.path;
    await bash(`mkfifo ${join(cwd, "gate")}`);
    using cleanup = new DisposableStack();
    const signal = AbortSignal.timeout(4_000);
    const tick = (): ChildProcess => {
      const child = spawn("/bin/sh", ["-c", command], { cwd, stdio: "ignore", detached: true });
      cleanup.defer(() => {
        // with all that it started, should the test fail before it has ended
        if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      });
      return child;
    };
    const first = tick();
    const ended = once(first, "exit", { signal });
    await waitFor(signal, 5, async () => (await readOptional(join(cwd, "started"))) ?? undefined);
    const [dropped] = (await once(tick(), "exit", { signal })) as [number];
    expect(dropped).toBe(1);
    await writeFile(join(cwd, "gate"), "go on");
    expect(await ended).toEqual([0, null]);
    // when it has ended the next one runs
    const next = once(tick(), "exit", { signal });
    await writeFile(join(cwd, "gate"), "go on");
    expect(await next).toEqual([0, null]);
    const run = "2\nbuilder/0\nJUJU_DISPATCH_PATH=run ./dispatch\n";
    expect(await readFile(join(cwd, "log"), "utf8")).toBe(`${run}${run}`);
  });
});
