import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createTask, type ScheduledTask } from "node-cron";
import { afterEach, describe, expect, test, vi } from "vitest";
import { clockIn, nextCronTime } from "../../../src/build/cron-times.ts";
import { parseExpression, type CronTicks } from "../../../src/charm/cron-expression.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

function ticksOf(expression: string, zone = "UTC"): CronTicks {
  const ticks = parseExpression(expression, zone);
  if ("problem" in ticks) throw new Error(ticks.problem);
  return ticks;
}

/** The times of `expression` after `from`, one after the other, as long as `goesOn` says so. */
function firing(
  expression: string,
  zone: string,
  from: number,
  goesOn: (time: Date, count: number) => boolean,
): readonly string[] {
  const times: string[] = [];
  const ticks = ticksOf(expression, zone);
  const clock = clockIn(zone);
  for (let now = new Date(from); ;) {
    const next = nextCronTime(ticks, now, clock);
    if (next === null || !goesOn(next, times.length)) return times;
    times.push(next.toISOString());
    now = next;
  }
}

/** Whether a field of numbers names `value`, as crontab(5) says; `end` is the field's last value. */
function names(field: string, value: number, first: number, end: number): boolean {
  return field.split(",").some((item) => {
    const [range = "", step = "1"] = item.split("/");
    const [low = first, high = range === "*" ? end : low] =
      range === "*" ? [first, end] : range.split("-").map(Number);
    for (let one = low; one <= high; one += Number(step)) if (one === value) return true;
    return false;
  });
}

/** What cron.c's `find_jobs` does for the minute that the clock shows. */
function isJob(expression: string, shown: number, kinds: { byClock: boolean; fixed: boolean }): boolean {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = expression.split(" ");
  const at = new Date(shown);
  const isByClock = minute.startsWith("*") || hour.startsWith("*");
  if (!(isByClock ? kinds.byClock : kinds.fixed)) return false;
  if (!names(minute, at.getUTCMinutes(), 0, 59) || !names(hour, at.getUTCHours(), 0, 23)) return false;
  if (!names(month, at.getUTCMonth() + 1, 1, 12)) return false;
  const isDay = names(day, at.getUTCDate(), 1, 31);
  const weekdays = at.getUTCDay() === 0 ? [0, 7] : [at.getUTCDay()];
  const isWeekday = weekdays.some((one) => names(weekday, one, 0, 7));
  return day.startsWith("*") || weekday.startsWith("*") ? isDay && isWeekday : isDay || isWeekday;
}

/** What the clock shows in each minute from `from` to `to`, read off another format than the product's. */
function clocks(zone: string, from: number, to: number): readonly number[] {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  return Array.from({ length: (to - from) / MINUTE + 1 }, (_, index) =>
    Date.parse(`${format.format(from + index * MINUTE).replace(" ", "T")}Z`),
  );
}

/** cron.c's `main`, woken once a minute: its virtual time, and its cases of a clock that jumped. */
function simulated(expression: string, shown: readonly number[], from: number): readonly string[] {
  const times: string[] = [];
  let virtual = shown[0] ?? 0;
  for (const [index, running] of shown.entries()) {
    if (index === 0) continue;
    const minutes = (running - virtual) / MINUTE;
    let isFired: boolean;
    if (minutes === 1) {
      virtual = running;
      isFired = isJob(expression, virtual, { byClock: true, fixed: true });
    } else if (minutes > 0) {
      isFired = isJob(expression, running, { byClock: true, fixed: false });
      while (virtual < running) {
        virtual += MINUTE;
        if (isJob(expression, virtual, { byClock: false, fixed: true })) isFired = true;
      }
    } else isFired = isJob(expression, running, { byClock: true, fixed: false });
    if (isFired) times.push(new Date(from + index * MINUTE).toISOString());
  }
  return times;
}

const EXPRESSIONS = [
  "0 3 * * *",
  "30 2 * * *",
  "15,45 1-3 * * *",
  "0 0 * * *",
  "30 0 * * 1-5",
  "*/20 * * * *",
  "7 * * * *",
  "*/30 2 * * *",
  "10 */2 * * *",
  "0 12 1 * *",
  "0 12 31 * *",
  "59 23 28-31 * 0",
  "0 6 13 * 5",
  "0 6 */2 * 1",
  "0 6 1-31 * 2",
  "0 6 * 2,11 7",
  "5 4 1-7/3 */3 */2",
];

describe("the times of an expression", () => {
  // changes of the clock: an hour, half an hour, at midnight, and none; then months of 28 to 31 days
  test.each([
    ["Europe/Berlin", "2026-03-27", 4],
    ["Europe/Berlin", "2026-10-23", 4],
    ["America/New_York", "2026-03-06", 4],
    ["America/New_York", "2026-10-30", 4],
    ["Australia/Lord_Howe", "2026-04-03", 4],
    ["Australia/Lord_Howe", "2026-10-02", 4],
    ["America/Sao_Paulo", "2018-11-02", 4],
    ["America/Sao_Paulo", "2019-02-15", 4],
    ["Asia/Kolkata", "2026-05-29", 4],
    ["UTC", "2026-01-30", 4],
    ["UTC", "2026-02-26", 5],
    ["UTC", "2028-02-27", 5],
  ])("are those of cron's own loop in %s from %s on for %i days", (zone, date, days) => {
    const from = Date.parse(date);
    const to = from + days * DAY;
    const shown = clocks(zone, from, to);
    for (const expression of EXPRESSIONS) {
      expect({ expression, times: firing(expression, zone, from, (time) => time.getTime() <= to) }).toEqual({
        expression,
        times: simulated(expression, shown, from),
      });
    }
  });

  test.each([
    ["right before the gap", "30 2 * * *", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00.000Z"],
    ["right after the gap", "30 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00.000Z"],
    ["in the first of two equal hours", "30 2 * * *", "2026-10-25T00:10:00Z", "2026-10-25T00:30:00.000Z"],
    ["in the second of two equal hours", "30 2 * * *", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00.000Z"],
    [
      "in the second of two equal hours, hourly",
      "30 * * * *",
      "2026-10-25T01:10:00Z",
      "2026-10-25T01:30:00.000Z",
    ],
  ])("%s of Berlin's clock", (_what, expression, now, next) => {
    expect(
      nextCronTime(
        ticksOf(expression, "Europe/Berlin"),
        new Date(now),
        clockIn("Europe/Berlin"),
      )?.toISOString(),
    ).toBe(next);
  });

  test("are strictly after the moment asked about, which may be within a minute", () => {
    const next = (now: string): string | undefined =>
      nextCronTime(ticksOf("0 3 * * *"), new Date(now), clockIn("UTC"))?.toISOString();
    expect(next("2026-11-23T02:59:59.999Z")).toBe("2026-11-23T03:00:00.000Z");
    expect(next("2026-11-23T03:00:00.000Z")).toBe("2026-11-24T03:00:00.000Z");
    expect(next("2026-11-23T03:00:59.999Z")).toBe("2026-11-24T03:00:00.000Z");
  });

  test("come however rare they are, and not when they cannot", () => {
    const next = (expression: string, now: string): string | undefined =>
      nextCronTime(ticksOf(expression), new Date(now), clockIn("UTC"))?.toISOString();
    expect(next("0 0 29 2 *", "2026-11-23")).toBe("2028-02-29T00:00:00.000Z");
    expect(next("* 0 29 2 *", "2096-03-01")).toBe("2104-02-29T00:00:00.000Z");
    // begins with *, so both days have to be right: the 29th, and a Sunday
    expect(next("0 0 29 2 */7", "2032-03-01")).toBe("2060-02-29T00:00:00.000Z");
    const never = { ...ticksOf("0 0 30 4 *"), months: [2] };
    expect(nextCronTime(never, new Date(), clockIn("UTC"))).toBeNull();
    expect(nextCronTime({ ...never, isByClock: true }, new Date(), clockIn("UTC"))).toBeNull();
  });
});

describe("the machine's clock", () => {
  test.each(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata"])(
    "shows what the clock in its zone does, in %s",
    async (zone) => {
      const module = new URL("../../../src/build/cron-times.ts", import.meta.url).href;
      // every half hour of a year
      const program = `
        const { clockIn, machineClock } = await import(${JSON.stringify(module)});
        const clock = clockIn(${JSON.stringify(zone)});
        const instants = Array.from({ length: 17520 }, (_, index) => Date.UTC(2026, 0) + index * 1_800_000);
        console.log(instants.filter((instant) => clock(instant) !== machineClock(instant)).length);
        console.log(new Set(instants.map((instant) => machineClock(instant) - instant)).size);`;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "--eval", program],
        { env: { TZ: zone } },
      );
      const offsets = ["UTC", "Asia/Kolkata"].includes(zone) ? 1 : 2;
      expect(stdout).toBe(`0\n${offsets}\n`);
    },
  );
});

describe("node-cron", () => {
  afterEach(() => vi.useRealTimers());

  /** node-cron's own next times from `now` on. */
  const runsOf = (expression: string, zone: string, now: string, count: number): readonly string[] => {
    vi.useFakeTimers({ now: new Date(now), toFake: ["Date"] });
    const task: ScheduledTask = createTask(expression, () => {}, { timezone: zone });
    const runs = task.getNextRuns(count).map((date) => date.toISOString());
    vi.useRealTimers();
    return runs;
  };
  /** Ours, as many. */
  const oursOf = (expression: string, zone: string, now: string, count: number): readonly string[] =>
    firing(expression, zone, Date.parse(now), (_, length) => length < count);

  test.each(EXPRESSIONS.filter((expression) => !ticksOf(expression).isEitherDay))(
    "computes the same times for %s as long as the clock does not change",
    (expression) => {
      for (const [zone, now] of [
        ["UTC", "2026-11-23T12:34:56Z"],
        ["Asia/Kolkata", "2028-02-27T12:34:56Z"],
      ] as const) {
        expect(oursOf(expression, zone, now, 12)).toEqual(runsOf(expression, zone, now, 12));
      }
    },
  );

  test("wants both days where cron wants either, for which its two halves together stand", () => {
    const now = "2026-11-23T12:34:56Z";
    const both = runsOf("0 6 13 * 5", "UTC", now, 3);
    expect(both).not.toEqual(oursOf("0 6 13 * 5", "UTC", now, 3));
    const halves = ["0 6 13 * *", "0 6 * * 5"].flatMap((half) => runsOf(half, "UTC", now, 12));
    expect([...new Set(halves)].toSorted().slice(0, 12)).toEqual(oursOf("0 6 13 * 5", "UTC", now, 12));
  });
});
