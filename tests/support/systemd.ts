/** A real systemd for a test, with nothing under it; needs root. */
import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitFor } from "../../src/base/deadline.ts";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("systemd.sh", import.meta.url));

/** A running systemd; dispose of it to end it with all that it started, and to forget what was written under it. */
export interface Systemd extends AsyncDisposable {
  /** Runs a program beside it, in its root; gives what it wrote. Rejects when it fails. */
  readonly run: (file: string, ...words: readonly string[]) => Promise<string>;
}

/** Starts it and waits until it is up. */
export async function startSystemd(): Promise<Systemd> {
  const words = ["--mount", "--pid", "--fork", "--uts", "--ipc", "--propagation", "private", "sh", SCRIPT];
  // its own PID namespace ends with its first process, which `--kill-child` ends with this one
  const child = spawn("unshare", ["--kill-child", ...words], {
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  const enter = async (pid: string, file: string, parameters: readonly string[]): Promise<string> => {
    const target = ["--target", pid, "--mount", "--pid", "--uts", "--ipc", "--root", "--wd=/"];
    const { stdout } = await run("nsenter", [...target, file, ...parameters]);
    return stdout.trim();
  };
  try {
    const pid = await waitFor(AbortSignal.timeout(30_000), 50, async () => {
      if (child.exitCode !== null)
        throw new Error(`systemd did not start: ${Buffer.concat(said).toString()}`);
      const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
      const first = children.trim().split(" ")[0] ?? "";
      if (first === "") return undefined;
      try {
        const state = await enter(first, "/usr/bin/systemctl", ["is-system-running"]);
        return state === "running" ? first : undefined;
      } catch {
        // it has no socket yet
        return undefined;
      }
    });
    return {
      run: async (file, ...parameters) => await enter(pid, file, parameters),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
