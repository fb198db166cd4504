/** Text for `--file -` of `relation-set` and `state-set` (juju-rules 3.3). */
import { AppError } from "../base/errors.ts";

/** What YAML 1.1 folds, rejects or takes for a line break when it stands raw in a double-quoted text. */
const HAZARDS = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
const LONGEST_KEY = 1024;

/**
 * `settings` as JSON that a YAML 1.1 parser reads back to the same strings: hazardous characters are
 * escaped, astral ones stay raw (the parser does not join surrogate escapes). Throws AppError for what
 * cannot be carried: lone surrogates, NUL in a key, keys that are empty or over 1024 characters.
 */
export function settingsFile(settings: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(settings)) {
    if (key === "" || key.length > LONGEST_KEY || key.includes("\0")) {
      throw new AppError(
        `cannot write the key ${JSON.stringify(key.slice(0, 40))}: it is empty, too long or has a NUL`,
      );
    }
    if (!key.isWellFormed() || !value.isWellFormed()) {
      throw new AppError(
        `cannot write the key ${JSON.stringify(key)}: its text has half of a surrogate pair`,
      );
    }
  }
  return JSON.stringify(settings).replace(
    HAZARDS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
