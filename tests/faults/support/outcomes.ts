/**
 * What came of each case of a whole run, kept outside the repository's files, so that one that was cut short is gone on
 * with, and cases that were tried again count as they went then.
 */
import { execFile } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { readOptional } from "../../../src/base/files.ts";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDER = join(REPOSITORY, "node_modules/.cache/faults");

const line = v.object({
  case: v.string(),
  outcome: v.picklist(["done", "failed", "cancelled", "interrupted", "damaged"]),
  /** Of the repository when it was tried. */
  commit: v.string(),
  ms: v.number(),
});

/** What came of one case. */
export type CaseOutcome = v.InferOutput<typeof line>;

/** The outcomes of one kind of run. */
export interface Outcomes {
  /** The present commit; `unknown` outside git. */
  readonly commit: string;
  readonly note: (name: string, outcome: CaseOutcome["outcome"], ms: number) => void;
  /** The newest outcome of each of `names`; null when one of them was never tried. */
  readonly of: (names: readonly string[]) => Promise<readonly CaseOutcome[] | null>;
}

/** Opens the outcomes called `name`, below `folder`. */
export async function openOutcomes(name: string, folder = FOLDER): Promise<Outcomes> {
  const commit = await promisify(execFile)("git", ["-C", REPOSITORY, "rev-parse", "--short", "HEAD"]).then(
    ({ stdout }) => stdout.trim(),
    () => "unknown",
  );
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.jsonl`);
  return {
    commit,
    note(tried, outcome, ms) {
      const entry: CaseOutcome = { case: tried, outcome, commit, ms: Math.round(ms) };
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
    },
    async of(names) {
      const newest = new Map<string, CaseOutcome>();
      for (const text of ((await readOptional(file)) ?? "").split("\n")) {
        const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), line), text);
        // a line that was torn when the run was cut short
        if (parsed.success) newest.set(parsed.output.case, parsed.output);
      }
      const found = names.flatMap((one) => newest.get(one) ?? []);
      return found.length === names.length ? found : null;
    },
  };
}
