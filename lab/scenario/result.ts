/** What a run gives, and the errors of a run that did not go well. */
import { AppError } from "../../src/base/errors.ts";
import type { LogRecord } from "../juju/commands/command.ts";
import type { JournalEntry } from "../juju/journal.ts";
import { describeEvent, type ScenarioEvent } from "./event.ts";
import type { State, Status } from "./state.ts";

/** One line that the charm sent through `juju-log`. */
export type LogLine = Pick<LogRecord, "level" | "message">;

/** What an action said: what it set as results (dots in a key make nested objects), and its progress lines. */
export interface ActionOutput {
  readonly results: Readonly<Record<string, unknown>>;
  readonly log: readonly string[];
}

/** The state after a run, and what was recorded during it. All of it is frozen. */
export interface RunResult {
  readonly state: State;
  /** Of the charm's process; -1 when it was ended by a signal. */
  readonly exitCode: number;
  readonly logs: readonly LogLine[];
  /** What was set with `status-set`, oldest first. */
  readonly statuses: { readonly unit: readonly Status[]; readonly application: readonly Status[] };
  /** Every call of a hook command, oldest first. */
  readonly calls: readonly Readonly<JournalEntry>[];
  /** Null in a run that is no action. */
  readonly action: ActionOutput | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `juju-reboot` asked for; with `now` the hook was ended, and nothing it queued is in the state. */
  readonly reboot: "no" | "after" | "now";
}

/**
 * The dispatch failed, or its commit was refused. `result.state` has what took effect at once, as a status;
 * after a custom event also what was queued, for juju-exec commits whatever the exit code.
 */
export class DispatchFailedError extends AppError {
  readonly event: ScenarioEvent;
  readonly result: RunResult;

  constructor(event: ScenarioEvent, problem: string, result: RunResult) {
    const { logs, stderr } = result;
    const lines = logs.map(({ level, message }) => `${level} ${message}`);
    super(
      `cannot run ${describeEvent(event)}: ${problem}` +
        `${section("log", lines)}${section("stderr", stderr.trimEnd().split("\n"))}`,
    );
    this.event = event;
    this.result = result;
  }
}

/** The action ended well but called `action-fail` with `failure`; what it queued is in `result.state`. */
export class ActionFailedError extends AppError {
  readonly failure: string;
  readonly result: RunResult;

  constructor(event: ScenarioEvent, failure: string, result: RunResult) {
    super(`${describeEvent(event)} failed: ${failure}`);
    this.failure = failure;
    this.result = result;
  }
}

function section(title: string, lines: readonly string[]): string {
  if (lines.every((line) => line === "")) return `\n${title}: nothing`;
  return `\n${title}:\n${lines.map((line) => `  ${line.replaceAll("\n", "\n  ")}`).join("\n")}`;
}
