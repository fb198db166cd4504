/** The record of every hook-command call, and the faults that tests put into them. */
import { pause } from "../../src/base/deadline.ts";
import { failed, type Outcome } from "./commands/run.ts";

/** One call of a hook command. Times are milliseconds since the epoch; `exit` is absent while (or for ever if) unanswered. */
export interface JournalEntry {
  readonly unit: string;
  /** Hook or action name, `juju-exec` for a command. */
  readonly hook: string;
  readonly contextId: string;
  readonly command: string;
  readonly words: readonly string[];
  readonly cwd: string;
  input: string | undefined;
  /** What the agent read for this call: `--file` and `key#file=`, by path. */
  readonly files: Record<string, string>;
  exit: number | undefined;
  stdout: string;
  stderr: string;
  readonly startedAt: number;
  endedAt: number | undefined;
}

/** A fault in a hook command. It answers with `exit` and `stderr` in the command's place, after `delayMs`; or never. */
export interface Fault {
  readonly command: string;
  readonly unit?: string;
  /** Only the n-th matching call, from 1; without it every one. */
  readonly nth?: number;
  /** Without it the command itself runs after the delay. */
  readonly exit?: number;
  readonly stderr?: string;
  readonly delayMs?: number;
  /** Never answer: the charm waits until it is ended. */
  readonly hang?: boolean;
}

/** The faults in force. */
export class Faults {
  readonly #armed: { readonly fault: Fault; calls: number }[] = [];

  /** Adds a fault; the returned function takes it away. */
  add(fault: Fault): () => void {
    const entry = { fault, calls: 0 };
    this.#armed.push(entry);
    return () => {
      const at = this.#armed.indexOf(entry);
      if (at >= 0) this.#armed.splice(at, 1);
    };
  }

  /** What a fault answers for this call: an outcome, `null` for no answer ever, `undefined` to run the command. */
  async strike(command: string, unit: string, gone: AbortSignal): Promise<Outcome | null | undefined> {
    let answer: Outcome | null | undefined;
    for (const entry of this.#armed) {
      const { fault } = entry;
      if (fault.command !== command || (fault.unit !== undefined && fault.unit !== unit)) continue;
      entry.calls += 1;
      if (fault.nth !== undefined && fault.nth !== entry.calls) continue;
      if (fault.hang === true) {
        await new Promise<void>((resolve) => {
          if (gone.aborted) resolve();
          else gone.addEventListener("abort", () => resolve(), { once: true });
        });
        return null;
      }
      if (fault.delayMs !== undefined) await pause(fault.delayMs, gone).catch(ignoreWhenGone(gone));
      if (fault.exit !== undefined || fault.stderr !== undefined) {
        answer = { ...failed(fault.exit ?? 1, ""), stderr: fault.stderr ?? "ERROR injected fault\n" };
      }
    }
    return gone.aborted ? null : answer;
  }
}

function ignoreWhenGone(gone: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!gone.aborted) throw error;
  };
}
