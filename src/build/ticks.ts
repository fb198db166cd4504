/** When the schedule fires: kept in a file beside the builds, for whoever tells the next one. */
import * as v from "valibot";
import { readOptional } from "../base/files.ts";
import { clockIn, nextCronTime, type WallClock } from "./cron-times.ts";

const numbers = v.array(v.number());
const ticksSchema = v.variant("kind", [
  /** Every `intervalHours` hours since the epoch, `hour` of them and `minute` minutes (UTC) later. */
  v.pipe(
    v.object({
      kind: v.literal("interval"),
      intervalHours: v.number(),
      minute: v.number(),
      hour: v.pipe(v.number(), v.integer(), v.minValue(0)),
    }),
    // else there is no next one to be found
    v.check(({ hour, intervalHours }) => hour < intervalHours),
  ),
  /** As crontab(5) says: `expression`, and the {@link CronTimes} that it means. */
  v.object({
    kind: v.literal("cron"),
    expression: v.string(),
    minutes: numbers,
    hours: numbers,
    days: numbers,
    months: numbers,
    weekdays: numbers,
    isEitherDay: v.boolean(),
    isByClock: v.boolean(),
    zone: v.string(),
  }),
]);

/** When a schedule fires. */
export type Ticks = Readonly<v.InferOutput<typeof ticksSchema>>;

/** The next tick after `now`; null when none comes. `clock` is cron's, if it is known better than by its zone's name. */
export function nextTick(ticks: Ticks, now: Date, clock: WallClock | null): Date | null {
  if (ticks.kind === "cron") return nextCronTime(ticks, now, clock ?? clockIn(ticks.zone));
  const hourMs = 3_600_000;
  const { intervalHours, minute, hour } = ticks;
  let tick = Math.floor(now.getTime() / hourMs);
  while (tick % intervalHours !== hour || tick * hourMs + minute * 60_000 <= now.getTime()) tick += 1;
  return new Date(tick * hourMs + minute * 60_000);
}

/** Ticks that {@link longestGap} looks at, and how far ahead: a week has every gap that a schedule by weekdays has. */
const GAP_TICKS = 200;
const GAP_AHEAD_MS = 8 * 24 * 3_600_000;

/** The longest time in milliseconds between two ticks of the week after `now`; null where there are no two ticks. */
export function longestGap(ticks: Ticks, now: Date, clock: WallClock | null): number | null {
  let longest: number | null = null;
  let before = nextTick(ticks, now, clock);
  for (let count = 0; before !== null && count < GAP_TICKS; count += 1) {
    const after = nextTick(ticks, before, clock);
    if (after === null) break;
    longest = Math.max(longest ?? 0, after.getTime() - before.getTime());
    if (after.getTime() - now.getTime() > GAP_AHEAD_MS) break;
    before = after;
  }
  return longest;
}

/** The text of `schedule.json`. */
export function formatTicks(ticks: Ticks): string {
  return `${JSON.stringify(ticks)}\n`;
}

/** What the `schedule.json` at `path` says; null without one, and for one of an unknown form. */
export async function readTicks(path: string): Promise<Ticks | null> {
  const text = await readOptional(path);
  if (text === undefined) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // a hand or a broken disk: the charm writes it anew when it looks next
    return null;
  }
  const result = v.safeParse(ticksSchema, value);
  return result.success ? result.output : null;
}

/** `2026-11-23 20:31 UTC`. */
export function minuteOf(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
