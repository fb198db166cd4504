/** Entry of the `image-builder` command: signals in, exit code out. */
import { CancelledError, ConfigError, describe } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import { createProgram } from "./program.ts";

/** 0 done, 1 failed, 2 the user's input, 130 and 143 cancelled by SIGINT and SIGTERM. */
async function main(): Promise<number> {
  const cancel = new AbortController();
  let cancelledBy: "SIGINT" | "SIGTERM" | null = null;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      cancelledBy ??= name;
      cancel.abort(new CancelledError(`cancelled by ${name}`));
    });
  }
  let code = 0;
  const program = createProgram({
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: cancel.signal,
    setExitCode: (value) => {
      code = value;
    },
  });
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    if (isUsage(error)) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${redact(describe(error))}\n`);
    code = error instanceof ConfigError ? 2 : 1;
  }
  if (cancelledBy !== null && code !== 0) return cancelledBy === "SIGINT" ? 130 : 143;
  return code;
}

/** commander throws these after it has written the message (`exitOverride`). */
function isUsage(error: unknown): error is { readonly exitCode: number } {
  return error instanceof Error && "code" in error && String(error.code).startsWith("commander.");
}

process.exitCode = await main();
