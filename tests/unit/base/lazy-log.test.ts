import { describe, expect, test } from "vitest";
import { lazyLogger } from "../../../src/base/lazy-log.ts";
import { createLogger, type Logger } from "../../../src/base/log.ts";

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly cloud?: string;
}

/** A lazy logger of level info, what it wrote, and how often it made a logger. */
function lazy(create?: () => Promise<Logger>) {
  const lines: Line[] = [];
  const made: number[] = [];
  const logger = lazyLogger("info", async () => {
    made.push(lines.length);
    return await (create?.() ??
      createLogger({ write: (line) => void lines.push(JSON.parse(line) as Line) }, "info"));
  });
  return { ...logger, lines, made };
}

describe("lazyLogger", () => {
  test("makes no logger for what is below the level", async () => {
    const { log, flush, made } = lazy();
    log.debug({}, "too little");
    log.child({ cloud: "a" }).debug("too little");
    await flush();
    expect(made).toEqual([]);
  });

  test("writes everything in order, with one logger", async () => {
    const { log, flush, lines, made } = lazy();
    log.info({}, "first");
    log.child({ cloud: "a" }).warn({}, "second");
    await flush();
    log.error({}, "third");
    await flush();
    expect(lines.map(({ level, msg, cloud }) => [level, msg, cloud])).toEqual([
      ["info", "first", undefined],
      ["warn", "second", "a"],
      ["error", "third", undefined],
    ]);
    expect(made).toHaveLength(1);
  });

  test("flush throws when no logger could be made", async () => {
    const { log, flush } = lazy(async () => {
      throw new Error("no pino");
    });
    log.info({}, "lost");
    await expect(flush()).rejects.toThrow("no pino");
  });
});
