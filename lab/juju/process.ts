/** A charm's process as the agent runs it (contract 1.1). */
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";

/** Log lines are cut at this many bytes. */
const LONGEST_LINE = 4096;
/** The agent waits this long for the pipes after the exit; background children may hold them for ever. */
const PIPE_WAIT_MS = 100;

/** How a process ended: by exit code, or by signal (`code` is then -1), or it could not start (`problem`). */
export interface ProcessEnd {
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly problem: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What to run. Its environment is exactly `env`, standard input is /dev/null. */
export interface ProcessCall {
  readonly file: string;
  readonly parameters: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (stream: "stdout" | "stderr", line: string) => void;
  /** Told how to end the process, with all of its group, when it runs. */
  readonly onStart: (end: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the process to its end, and at most 100 ms more for its pipes. */
export async function runProcess(call: ProcessCall): Promise<ProcessEnd> {
  return await new Promise((resolve) => {
    const child = spawn(call.file, call.parameters, {
      cwd: call.cwd,
      env: call.env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out = collect(child.stdout, (line) => call.onLine("stdout", line));
    const err = collect(child.stderr, (line) => call.onLine("stderr", line));
    const finish = (code: number, signal: NodeJS.Signals | undefined, problem?: string): void => {
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, signal, problem, stdout: out(), stderr: err() });
    };
    child.on("error", (error) => finish(-1, undefined, error.message));
    child.on("spawn", () => {
      call.onStart((signal) => {
        if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
          process.kill(-child.pid, signal);
        }
      });
    });
    child.on("exit", (code, signal) => {
      const done = (): void => finish(code ?? -1, signal ?? undefined);
      const timer = setTimeout(done, PIPE_WAIT_MS);
      child.on("close", () => {
        clearTimeout(timer);
        done();
      });
    });
  });
}

/** Reads `stream` to memory and hands on its lines; the returned function flushes and gives all bytes. */
export function collect(stream: Readable, onLine: (line: string) => void): () => Buffer {
  const chunks: Buffer[] = [];
  let rest = Buffer.alloc(0);
  let flushed = false;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const at = rest.subarray(0, LONGEST_LINE + 1).indexOf(10);
      if (at < 0 && rest.length <= LONGEST_LINE) return;
      const length = at < 0 ? LONGEST_LINE : at;
      onLine(rest.subarray(0, length).toString("utf8"));
      rest = rest.subarray(at < 0 ? length : length + 1);
    }
  });
  return () => {
    if (rest.length > 0 && !flushed) onLine(rest.toString("utf8"));
    flushed = true;
    return Buffer.concat(chunks);
  };
}
