/** Runs the lab's shell scripts and passes their output on, line by line. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { AppError } from "../src/base/errors.ts";

/** How to run a script; its environment is exactly `env`. */
export interface ScriptOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** How many last lines of a failed script its error repeats. */
const TAIL = 3;

/**
 * Runs `bash PARAMETERS...` in a session of its own, so that Ctrl-C at the terminal reaches this program
 * alone, which then ends the script's whole process group (what the script started as a service has left
 * that group). Throws when the script fails, and the signal's reason when it fires; by then the script is gone.
 */
export async function runScript(parameters: readonly string[], options: ScriptOptions): Promise<void> {
  options.signal.throwIfAborted();
  const child = spawn("bash", parameters, {
    env: options.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const last: string[] = [];
  const onLine = (line: string): void => {
    options.log(line);
    last.push(line);
    if (last.length > TAIL) last.shift();
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
  const abort = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  options.signal.addEventListener("abort", abort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    options.signal.throwIfAborted();
    if (code !== 0) {
      const ended = code === null ? "was killed" : `ended with exit code ${code}`;
      throw new AppError(`cannot run ${parameters.join(" ")}: it ${ended}: ${last.join(" / ")}`);
    }
  } finally {
    options.signal.removeEventListener("abort", abort);
  }
}
