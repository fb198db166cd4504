import { describe, expect, test } from "vitest";
import { parseExpression } from "../../../src/charm/cron-expression.ts";

describe("an expression", () => {
  // each of them passes `crontab -n` of Debian's cron 3.0pl1
  test.each([
    ["30 3 * * *", { minutes: [30], hours: [3], isEitherDay: false, isByClock: false }],
    ["  0  3 * *\t1-5 ", { expression: "0 3 * * 1-5", weekdays: [1, 2, 3, 4, 5] }],
    ["05 003 * * *", { minutes: [5], hours: [3] }],
    ["*/20 8-10 * * *", { minutes: [0, 20, 40], hours: [8, 9, 10], isByClock: true }],
    ["10-30/10,50,*/25 * * * *", { minutes: [0, 10, 20, 25, 30, 50], isByClock: true }],
    ["5,* 0 * * *", { minutes: Array.from({ length: 60 }, (_, minute) => minute), isByClock: false }],
    ["0 0 * JAN,mar Mon", { months: [1, 3], weekdays: [1] }],
    ["0 0 * jan-dec/6 mon-fri", { months: [1, 7], weekdays: [1, 2, 3, 4, 5] }],
    ["0 0 * * 7", { weekdays: [0] }],
    ["0 0 * * 5-7", { weekdays: [0, 5, 6] }],
    ["0 0 * * 0-7", { weekdays: [0, 1, 2, 3, 4, 5, 6] }],
    ["0 0 13 * 5", { days: [13], weekdays: [5], isEitherDay: true }],
    ["0 0 */10 * 5", { days: [1, 11, 21, 31], weekdays: [5], isEitherDay: false }],
    ["0 0 13 * */2", { days: [13], weekdays: [0, 2, 4, 6], isEitherDay: false }],
    ["*/70 * * * *", { minutes: [0] }],
    ["0 0 30 2,4 *", { days: [30], months: [2, 4] }],
    ["0 0 29 2 *", { days: [29], months: [2] }],
  ])("such as %j is understood", (text, ticks) => {
    expect(parseExpression(text.trim(), "Europe/Berlin")).toMatchObject({
      kind: "cron",
      expression: text.trim().replaceAll(/\s+/g, " "),
      zone: "Europe/Berlin",
      ...ticks,
    });
  });

  const five = (text: string): string =>
    `schedule: write five fields as in crontab(5), such as "30 3 * * 1-5", instead of "${text}"`;
  const no = (item: string, what: string): string =>
    `schedule: "${item}" is no ${what} that cron understands`;
  const backwards = (item: string, what: string): string =>
    `schedule: "${item}" is a range of the ${what} that runs backwards; write it as a list`;
  const never = (text: string): string => `schedule: "${text}" names a day that never comes`;

  test.each([
    ["@daily", five("@daily")],
    ["0 3 * *", five("0 3 * *")],
    ["0 0 3 * * *", five("0 0 3 * * *")],
    ["0, 5 3 * * *", five("0, 5 3 * * *")],
    ["0 3 * * *\n* * * * * root rm -rf /", five("0 3 * * * * * * * * root rm -rf /")],
    [`${"0 ".repeat(30)}0`, five(`${"0 ".repeat(20)}...`)],
    ["60 * * * *", no("60", "minute")],
    ["-1 * * * *", no("-1", "minute")],
    ["5/10 * * * *", no("5/10", "minute")],
    ["*/0 * * * *", no("*/0", "minute")],
    ["0-90/30 * * * *", no("0-90/30", "minute")],
    ["0, * * * *", no("", "minute")],
    ["jan * * * *", no("jan", "minute")],
    ["%5 * * * *", no("%5", "minute")],
    ["$(reboot) * * * *", no("$(reboot)", "minute")],
    ["0 24 * * *", no("24", "hour")],
    ["0 3,25 * * *", no("25", "hour")],
    ["0 0 0 * *", no("0", "day of the month")],
    ["0 0 32 * *", no("32", "day of the month")],
    ["0 0 ? * *", no("?", "day of the month")],
    ["0 0 L * *", no("L", "day of the month")],
    ["0 0 15W * *", no("15W", "day of the month")],
    ["0 0 * 13 *", no("13", "month")],
    ["0 0 * january *", no("january", "month")],
    ["0 0 * jan/2 *", no("jan/2", "month")],
    ["0 0 * * 8", no("8", "day of the week")],
    ["0 0 * * 5#2", no("5#2", "day of the week")],
    ["0 0 * * 5L", no("5L", "day of the week")],
    ["0 0 * * friday", no("friday", "day of the week")],
    // cron takes these two, and never fires
    ["0 22-2 * * *", backwards("22-2", "hour")],
    ["0 0 * * sat-sun", backwards("sat-sun", "day of the week")],
    ["0 0 30 2 *", never("0 0 30 2 *")],
    // cron would take the Mondays, which who wrote the 30th did not mean
    ["0 0 30 2 1", never("0 0 30 2 1")],
    ["0 0 31 4,6,9,11 *", never("0 0 31 4,6,9,11 *")],
  ])("such as %j is refused in one sentence", (text, problem) => {
    expect(parseExpression(text, "UTC")).toEqual({ problem });
  });
});
