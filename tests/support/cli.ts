/** The image builder's command line as a process of its own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../src/base/deadline.ts";
import { type JournalEvent, readJournal } from "../../src/build/journal.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** A running `image-builder run`; disposing kills it where it still runs. */
export interface CliRun extends AsyncDisposable {
  readonly kill: (signal: "SIGTERM" | "SIGINT" | "SIGKILL") => void;
  /** Exit code (null after SIGKILL) and all output, once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** Settles when the journal in `folder` has an event like that; throws when the process ends before. */
  readonly journalled: (folder: string, isIt: (event: JournalEvent) => boolean) => Promise<void>;
}

/** Starts `image-builder run` with the request in `file`; it logs JSON lines. */
export function startCli(file: string): CliRun {
  const child = spawn(process.execPath, [MAIN, "run", "--request", file, "--log-format", "json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output: Buffer.concat(output).toString("utf8") }));
  });
  return {
    kill: (signal) => void child.kill(signal),
    ended,
    async journalled(folder, isIt) {
      await waitFor(AbortSignal.timeout(120_000), 50, async () => {
        if ((await readJournal(folder)).some(isIt)) return true;
        if (child.exitCode === null) return undefined;
        throw new Error(`the process ended early: ${(await ended).output}`);
      });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** What a command wrote and how it ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `image-builder` with `words` to its end. */
export async function cli(...words: readonly string[]): Promise<CliResult> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text: string) => (output[name] += text));
  }
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
  });
}
