/** Child processes; the only importer of `node:child_process` under `src/`. */
import { spawn, spawnSync } from "node:child_process";
import { AppError, DeadlineError } from "./errors.ts";

/** What a child process gave back. */
export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a child process. Its environment is exactly `env`. */
export interface ExecOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Text for standard input; without it the child reads from /dev/null. */
  readonly input?: string;
  readonly cwd?: string;
}

/** A program could not be started, or died by a signal. Exit codes are not errors here: the caller judges them. */
export class ExecError extends AppError {}

/**
 * Runs `file` with `parameters` (no shell) and gives its exit code and output. Ends the child with SIGKILL
 * and throws the signal's reason when `signal` fires.
 */
export async function exec(
  file: string,
  parameters: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  options.signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const child = spawn(file, parameters, {
      env: options.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    const abort = (): void => {
      child.kill("SIGKILL");
    };
    options.signal.addEventListener("abort", abort, { once: true });
    child.on("error", (error) => {
      options.signal.removeEventListener("abort", abort);
      reject(new ExecError(`cannot run ${file}`, { cause: error }));
    });
    child.on("close", (code, killedBy) => {
      options.signal.removeEventListener("abort", abort);
      if (options.signal.aborted) reject(options.signal.reason);
      else if (code === null) reject(new ExecError(`${file} was ended by ${killedBy}`));
      else {
        resolve({
          code,
          stdout: Buffer.concat(stdout).toString("utf8"),
          stderr: Buffer.concat(stderr).toString("utf8"),
        });
      }
    });
    // a child that exits without reading its input closes the pipe; its exit code tells the story
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input);
  });
}

/**
 * As {@link exec}, while this process does nothing else: no stream, no timer and no promise is set up for it. Only for
 * a process that handles no signals, so that one still ends it meanwhile. Throws {@link DeadlineError} after `limitMs`,
 * when the child has got a SIGKILL.
 */
export function execBlocking(
  file: string,
  parameters: readonly string[],
  {
    env,
    input,
    limitMs,
  }: Pick<ExecOptions, "env"> & { readonly input: string | undefined; readonly limitMs: number },
): ExecResult {
  const { error, status, signal, stdout, stderr } = spawnSync(file, parameters, {
    env,
    input,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: Infinity,
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  if (error !== undefined && "code" in error && error.code === "ETIMEDOUT") {
    throw new DeadlineError(file, limitMs);
  }
  if (error !== undefined) throw new ExecError(`cannot run ${file}`, { cause: error });
  if (status === null) throw new ExecError(`${file} was ended by ${signal}`);
  return { code: status, stdout, stderr };
}

/**
 * Starts `file` in a session of its own, with no tie to this process: it outlives us, holds none of our
 * pipes, and writes both outputs to the file descriptor `output`. Gives its process id.
 */
export async function spawnDetached(
  file: string,
  parameters: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string; readonly output: number },
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const child = spawn(file, parameters, {
      env: options.env,
      cwd: options.cwd,
      detached: true,
      stdio: ["ignore", options.output, options.output],
    });
    child.on("error", (error) => reject(new ExecError(`cannot run ${file}`, { cause: error })));
    child.on("spawn", () => {
      child.unref();
      resolve(child.pid as number);
    });
  });
}
