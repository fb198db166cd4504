/** What failed, from a report of vitest. */
import { relative } from "node:path";

/** The part of vitest's JSON report that is read here. */
export interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

/** One line for each failure, `<file below root>: <test>: <first line of its error>`. */
export function failuresIn({ testResults }: Report, root: string): readonly string[] {
  return testResults.flatMap((file) => failuresOf(file, root));
}

function failuresOf(
  { name, status, message, assertionResults }: Report["testResults"][number],
  root: string,
): string[] {
  const file = relative(root, name);
  const lines = assertionResults
    .filter((test) => test.status === "failed")
    .map((test) => `${file}: ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
  // a file that cannot be loaded, or whose hooks fail, has no failed test
  return lines.length === 0 && status === "failed" ? [`${file}: ${firstLine(message)}`] : lines;
}

function firstLine(message: string | undefined): string {
  return message?.trim().split("\n")[0] || "no message";
}
