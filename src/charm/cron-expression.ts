/** The option `schedule`; the only importer of node-cron, and loaded only when the option is set. */
import { validateDetailed } from "node-cron";
import { clockIn, nextCronTime } from "../build/cron-times.ts";
import type { Ticks } from "../build/ticks.ts";
import { quote } from "./text.ts";

/** The ticks of an expression. */
export type CronTicks = Extract<Ticks, { kind: "cron" }>;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The fields in their order; `names` stand for numbers from `first` on. */
const FIELDS = [
  { what: "minute", names: [], first: 0 },
  { what: "hour", names: [], first: 0 },
  { what: "day of the month", names: [], first: 1 },
  { what: "month", names: MONTHS, first: 1 },
  { what: "day of the week", names: WEEKDAYS, first: 0 },
] as const;

/**
 * The ticks of `text`, a crontab(5) expression in the time zone `zone`, or a sentence that says what is wrong. Takes
 * what Debian's and Ubuntu's cron and node-cron both take and mean alike: five fields of numbers, names, ranges that
 * ascend, steps and lists.
 */
export function parseExpression(text: string, zone: string): CronTicks | { readonly problem: string } {
  const fields = text.split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return wrong(
      `write five fields as in crontab(5), such as "30 3 * * 1-5", instead of ${quote(text.replaceAll(/\s+/g, " "))}`,
    );
  }
  for (const [index, { what, names, first }] of FIELDS.entries()) {
    for (const item of (fields[index] ?? "").split(",")) {
      const alone = FIELDS.map((_, other) => (other === index ? item : "*")).join(" ");
      if (!itemPattern(names).test(item) || !validateDetailed(alone).valid) {
        return wrong(`${quote(item)} is no ${what} that cron understands`);
      }
      const [low = 0, high = low] =
        item.toLowerCase().split("/")[0]?.split("-").map(valueIn(names, first)) ?? [];
      if (low > high)
        return wrong(`${quote(item)} is a range of the ${what} that runs backwards; write it as a list`);
    }
  }
  const expression = fields.join(" ");
  const { valid, fields: values } = validateDetailed(expression);
  const never = wrong(`${quote(expression)} names a day that never comes`);
  if (!valid || values === undefined) return never;
  const begins = fields.map((field) => field.startsWith("*"));
  const ticks: CronTicks = {
    kind: "cron",
    expression,
    minutes: ascending(values.minute),
    hours: ascending(values.hour),
    days: ascending(values.dayOfMonth),
    months: ascending(values.month),
    weekdays: ascending(values.dayOfWeek),
    isEitherDay: begins[2] === false && begins[4] === false,
    isByClock: begins[0] === true || begins[1] === true,
    zone,
  };
  return nextCronTime(ticks, new Date(), clockIn(zone)) === null ? never : ticks;
}

/** A number, a name, a range of two, each with a step only behind `*` or a range. */
function itemPattern(names: readonly string[]): RegExp {
  const value = `(?:${["\\d{1,3}", ...names].join("|")})`;
  return new RegExp(`^(?:\\*(?:/\\d{1,3})?|${value}(?:-${value}(?:/\\d{1,3})?)?)$`, "i");
}

function valueIn(names: readonly string[], first: number): (text: string) => number {
  return (text) => (names.includes(text) ? names.indexOf(text) + first : text === "*" ? 0 : Number(text));
}

function ascending(values: readonly (number | string)[]): number[] {
  return [...new Set(values.map(Number))].toSorted((a, b) => a - b);
}

function wrong(sentence: string): { readonly problem: string } {
  return { problem: `schedule: ${sentence}` };
}
