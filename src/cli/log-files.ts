/** A log that goes to several places. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { asDiskFull } from "../base/disk-full.ts";
import { describe } from "../base/errors.ts";

/** Where lines go; dispose of it to close the files. */
export interface LogFiles extends Disposable {
  readonly write: (line: string) => void;
}

/**
 * Writes each line to `first` and appends it to each of `files` (0640). A file that cannot be written is told of once on
 * `first` and left out: no build fails for its log.
 */
export function openLogFiles(
  first: { readonly write: (line: string) => unknown },
  files: readonly string[],
): LogFiles {
  const open = new Map<string, number>();
  const say = (line: string): void => {
    try {
      first.write(line);
    } catch (error) {
      // standard error may be a file on a disk that is full
      if (asDiskFull(error, "") === null) throw error;
    }
  };
  const giveUp = (file: string, error: unknown): void => {
    say(
      `${JSON.stringify({ level: "warn", msg: "cannot write a log file", file, error: describe(error) })}\n`,
    );
  };
  for (const file of files) {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
      open.set(file, openSync(file, "a", 0o640));
    } catch (error) {
      giveUp(file, error);
    }
  }
  const close = (file: string, descriptor: number): void => {
    open.delete(file);
    closeSync(descriptor);
  };
  return {
    write(line) {
      say(line);
      for (const [file, descriptor] of open) {
        try {
          writeSync(descriptor, line);
        } catch (error) {
          close(file, descriptor);
          giveUp(file, error);
        }
      }
    },
    [Symbol.dispose]() {
      for (const [file, descriptor] of open) close(file, descriptor);
    },
  };
}
