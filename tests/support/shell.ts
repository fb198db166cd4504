/** Shell scripts under test. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs `bash` with `script` on its standard input; throws with its stderr when it fails. */
export async function bash(script: string, parameters: readonly string[] = []): Promise<string> {
  const work = promisify(execFile)("bash", [...parameters], { encoding: "utf8", maxBuffer: 64 << 20 });
  work.child.stdin?.on("error", () => {});
  work.child.stdin?.end(script);
  return (await work).stdout;
}

/** The warnings of ShellCheck about bash scripts in `paths`; empty when there are none. Throws where it is not installed. */
export async function shellcheck(paths: readonly string[]): Promise<string> {
  try {
    const options = ["--shell=bash", "--severity=warning", "--format=gcc"];
    return (await promisify(execFile)("shellcheck", [...options, ...paths])).stdout;
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (error.code === "ENOENT") {
      throw new Error("shellcheck is not installed; the unit tests need it: apt-get install shellcheck", {
        cause: error,
      });
    }
    return "stdout" in error && typeof error.stdout === "string" && error.stdout !== ""
      ? error.stdout
      : error.message;
  }
}
