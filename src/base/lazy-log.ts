/** A logger that is made when there is something to log: most hooks have nothing to say. */
import type { Logger, LogLevel } from "./log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/** A logger, and the end of its waiting. */
export interface LazyLogger {
  readonly log: Logger;
  /** Ends when everything logged so far has been written; throws what making the logger threw. */
  readonly flush: () => Promise<void>;
}

/**
 * A logger that calls `create` at the first record of `level` or above, writes that one and those that came
 * meanwhile when it has the logger, and the later ones at once. `create` may load a module.
 */
export function lazyLogger(level: LogLevel, create: () => Logger | Promise<Logger>): LazyLogger {
  const waiting: ((log: Logger) => void)[] = [];
  let made: Logger | undefined;
  let making: Promise<void> | undefined;
  const make = async (): Promise<void> => {
    const log = await create();
    for (const write of waiting) write(log);
    made = log;
  };
  const write = (record: (log: Logger) => void): void => {
    if (made !== undefined) {
      record(made);
      return;
    }
    waiting.push(record);
    making ??= make();
    // told by flush
    making.catch(() => {});
  };
  const below = (name: LogLevel): boolean => LEVELS.indexOf(name) < LEVELS.indexOf(level);
  const view = (of: (log: Logger) => Logger): Logger => {
    const method =
      (name: "debug" | "info" | "warn" | "error") =>
      (...record: Parameters<Logger["info"]>): void => {
        if (!below(name)) write((log) => of(log)[name](...record));
      };
    return {
      debug: method("debug"),
      info: method("info"),
      warn: method("warn"),
      error: method("error"),
      child: ((...bindings: Parameters<Logger["child"]>) =>
        view((log) => of(log).child(...bindings))) as Logger["child"],
    };
  };
  return { log: view((log) => log), flush: async () => await making };
}
