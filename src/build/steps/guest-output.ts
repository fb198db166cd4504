/** How much of what a guest prints is kept: a script in a loop must not fill the unit's disk. */
const MIB = 1024 * 1024;

/** So much of one step's output goes to the log; the last lines are in the error, if there is one. */
export const LONGEST_OUTPUT = 16 * MIB;

/** Takes lines; dispose of it at the output's end. */
export interface BoundedOutput extends Disposable {
  readonly take: (line: string) => void;
}

/** Hands on lines until `limit` characters came, then none; at the end `tell` hears how many were left out, if any. */
export function boundedOutput(
  pass: (line: string) => void,
  tell: (sentence: string) => void,
  limit = LONGEST_OUTPUT,
): BoundedOutput {
  let seen = 0;
  let leftOut = 0;
  return {
    take(line) {
      seen += line.length + 1;
      if (seen <= limit) pass(line);
      else leftOut += 1;
    },
    [Symbol.dispose]() {
      if (leftOut > 0) {
        const size = Math.round((seen / MIB) * 10) / 10;
        tell(
          `the guest printed ${size} MiB; ${leftOut} lines after the first ${limit / MIB} MiB were left out`,
        );
      }
    },
  };
}
