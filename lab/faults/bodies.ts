/** What faults do to bodies on their way. */
import { Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** Changes a byte of each body: data has another content then, text (JSON) is not parsed any more. */
export function corrupter(isText: boolean): Transform {
  let done = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      if (done || chunk.length === 0) return next(null, chunk);
      done = true;
      const changed = Buffer.from(chunk);
      const at = isText ? 0 : Math.floor(chunk.length / 2);
      // a brace that opens becomes one that closes
      changed[at] = isText ? 0x7d : (changed[at] ?? 0) ^ 0x01;
      next(null, changed);
    },
  });
}

/** Lets half of `announced` bytes pass (of a body of unknown length: half of its first chunk), then calls `cut`. */
export function truncater(announced: number | null, cut: () => void): Transform {
  let left = announced === null ? null : Math.floor(announced / 2);
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      left ??= Math.floor(chunk.length / 2);
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length > 0) this.push(part);
      if (left > 0) return next();
      // what was pushed is to be on its way first
      setImmediate(() => {
        cut();
        next();
      });
    },
  });
}

/** Passes `bytesPerSecond`, a byte or more at a time; ends with `signal`. */
export function dripper(bytesPerSecond: number, signal: AbortSignal): Transform {
  return new Transform({
    async transform(chunk: Buffer, _encoding, next) {
      try {
        for (let at = 0; at < chunk.length; at += bytesPerSecond) {
          await sleep(1000, undefined, { signal });
          this.push(chunk.subarray(at, at + bytesPerSecond));
        }
        next();
      } catch (error) {
        next(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}
