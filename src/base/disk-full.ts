/** A disk that takes no more. */
import { AppError } from "./errors.ts";

/** Of the system: no space is left, or none of this user's. */
const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/** A file could not be written because the disk is full; its message says which and what to do. */
export class DiskFullError extends AppError {
  constructor(path: string) {
    // the sentence says all that the system's error does
    super(`the disk of this machine is full: cannot write ${path}; free some space`);
  }
}

/** The {@link DiskFullError} that `error` is, or stands for; null for any other failure. `path` is what was to be written. */
export function asDiskFull(error: unknown, path: string): DiskFullError | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof DiskFullError) return one;
    if ("code" in one && FULL.has(one.code)) {
      return new DiskFullError("path" in one && typeof one.path === "string" ? one.path : path);
    }
  }
  return null;
}
