/**
 * When a cron entry fires: as cron 3.0pl1 of Debian and Ubuntu counts, in cron.c `main()` and `find_jobs()` with the
 * patch Better-timeskip-handling. Its days and its clock changes differ from those of cron libraries
 * (docs/decisions/0004-cron-ticks-hourly.md).
 */

/** The times of an entry, each list ascending; plain data that may be kept as JSON. */
export interface CronTimes {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  /** 1 is January. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** Neither field of days begins with `*`: a day that one of them names suffices. */
  readonly isEitherDay: boolean;
  /**
   * Minute or hour begins with `*`: cron goes by the clock alone. Otherwise a time that a change of the clock leaves
   * out is made up for right after it, and one that comes twice counts once.
   */
  readonly isByClock: boolean;
  /** IANA name of the time zone that cron runs in. */
  readonly zone: string;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** 29 February on a given weekday comes every 28 years, and after 40 across 2100. */
const HORIZON = 41 * 366 * DAY;

/**
 * The first time after `now` by cron's `clock`, null when there is none within forty years (30 February). The clock is
 * {@link clockIn} the times' zone, or where that is the machine's own {@link machineClock}.
 */
export function nextCronTime(times: CronTimes, now: Date, clock: WallClock): Date | null {
  const minute = Math.floor(now.getTime() / MINUTE) * MINUTE;
  const next = times.isByClock ? nextByClock(times, clock, minute) : nextMadeUpFor(times, clock, minute);
  return next === null ? null : new Date(next);
}

/** What a clock on the wall shows at an instant, as milliseconds that would be that time in UTC. */
export type WallClock = (instant: number) => number;

/** The clock of this process, which is the machine's where no variable TZ says otherwise; costs nothing. */
export function machineClock(instant: number): number {
  return instant - new Date(instant).getTimezoneOffset() * MINUTE;
}

/** The clock in a time zone with an IANA name; throws RangeError where there is none of that name. */
export function clockIn(zone: string): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  return (instant) => {
    const shown = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => shown.get(type) ?? Number.NaN;
    return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"));
  };
}

function nextByClock(times: CronTimes, clock: WallClock, minute: number): number | null {
  let instant = minute + MINUTE;
  for (;;) {
    const shown = clock(instant);
    const wanted = firstShown(times, shown);
    if (wanted === null) return null;
    const next = instant + wanted - shown;
    const change = firstChange(clock, instant, next);
    if (change === null) return next;
    instant = change;
  }
}

function nextMadeUpFor(times: CronTimes, clock: WallClock, minute: number): number | null {
  let shown = clock(minute);
  for (;;) {
    const wanted = firstShown(times, shown + MINUTE);
    if (wanted === null) return null;
    const instant = firstReached(clock, wanted);
    if (instant > minute) return instant;
    // in the second of two equal hours: the first one had it
    shown = wanted;
  }
}

/** The first instant at which the clock shows `wanted` or has jumped over it. */
function firstReached(clock: WallClock, wanted: number): number {
  // the clock is never a day off UTC
  const [before, after] = [wanted - DAY, wanted + DAY];
  const early = wanted - (clock(before) - before);
  const late = wanted - (clock(after) - after);
  const change = firstChange(clock, before, after);
  return change === null || early < change ? early : Math.max(change, late);
}

/** The first minute after `from`, up to `to`, from which the clock is off UTC by another time; null without one. */
function firstChange(clock: WallClock, from: number, to: number): number | null {
  const offset = (instant: number): number => clock(instant) - instant;
  for (let start = from; start < to; start += DAY) {
    let [same, changed] = [start, Math.min(start + DAY, to)];
    if (offset(same) === offset(changed)) continue;
    while (changed - same > MINUTE) {
      const middle = same + Math.floor((changed - same) / 2 / MINUTE) * MINUTE;
      if (offset(middle) === offset(same)) same = middle;
      else changed = middle;
    }
    return changed;
  }
  return null;
}

/** The first of the times that the clock shows from `shown` on, if no change of the clock comes between. */
function firstShown(times: CronTimes, shown: number): number | null {
  const today = Math.floor(shown / DAY) * DAY;
  for (let day = today; day < today + HORIZON; day += DAY) {
    if (!isDay(times, new Date(day))) continue;
    for (const hour of times.hours) {
      for (const minute of times.minutes) {
        const time = day + (hour * 60 + minute) * MINUTE;
        if (time >= shown) return time;
      }
    }
  }
  return null;
}

function isDay(times: CronTimes, day: Date): boolean {
  if (!times.months.includes(day.getUTCMonth() + 1)) return false;
  const [isOfMonth, isOfWeek] = [
    times.days.includes(day.getUTCDate()),
    times.weekdays.includes(day.getUTCDay()),
  ];
  return times.isEitherDay ? isOfMonth || isOfWeek : isOfMonth && isOfWeek;
}
