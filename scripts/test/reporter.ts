/**
 * A reporter for vitest that writes what a run came to, as JSON, into the file that OUTCOME_FILE names. Vitest's own
 * JSON holds no error that is within another one, and those are what tells why a test failed and its cleaning up too.
 */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import { errorLine } from "./error-line.ts";

/** What a run of tests came to. */
export interface Outcome {
  readonly passed: number;
  /** A line for each failure: `<file>: <test>: <error>`. */
  readonly failures: readonly string[];
}

/** Variable that names the file for the {@link Outcome}. */
export const OUTCOME_FILE = "OUTCOME_FILE";

export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env[OUTCOME_FILE];
    if (file === undefined) throw new Error(`${OUTCOME_FILE} names no file`);
    writeFileSync(file, JSON.stringify(outcomeOf(modules, unhandled, process.cwd())));
  }
}

/** The outcome of a run, with its files named below `root`. An error that belongs to no test fails a run as well. */
export function outcomeOf(
  modules: readonly TestModule[],
  unhandled: readonly SerializedError[],
  root: string,
): Outcome {
  const failures = modules.flatMap((module) => {
    const file = relative(root, module.moduleId);
    const line = (name: string, errors: readonly SerializedError[]): string =>
      `${file}: ${name}${errors.map(errorLine).join("; ") || "no message"}`;
    const tests = [...module.children.allTests("failed")].map((test) =>
      line(`${test.fullName}: `, test.result().errors ?? []),
    );
    // a file that cannot be loaded, and hooks
    const around = [module, ...module.children.allSuites()].filter((each) => each.errors().length > 0);
    return [
      ...tests,
      ...around.map((each) => line(each.type === "suite" ? `${each.fullName}: ` : "", each.errors())),
    ];
  });
  const passed = modules.flatMap((module) => [...module.children.allTests("passed")]).length;
  return {
    passed,
    failures: [...failures, ...unhandled.map((error) => `outside of tests: ${errorLine(error)}`)],
  };
}
