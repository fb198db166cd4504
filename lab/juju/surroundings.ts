/** What the agents share, and what one run of the charm needs of its agent. */
import type { AgentState } from "./agent-state.ts";
import type { LogRecord } from "./commands/command.ts";
import type { HookContext } from "./context.ts";
import type { Faults, JournalEntry } from "./journal.ts";
import type { Lock } from "./lock.ts";
import type { Machine } from "./machine.ts";
import type { Model, Unit } from "./model.ts";

/** What all agents share. */
export interface Surroundings {
  readonly model: Model;
  readonly machine: Machine;
  readonly extraEnvironment: Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly journal: JournalEntry[];
  readonly log: (record: LogRecord) => void;
  /** The lock of a machine, or of one execution group on it. */
  readonly lock: (machine: string, group: string) => Lock;
  /** Something visible changed: every agent must look again. */
  readonly changed: () => void;
  /** Brings the charm's newest files to the unit. */
  readonly placeCharm: (unit: Unit, agent: AgentState) => Promise<void>;
  /** A failed hook may be tried again later. */
  readonly failedHook: (unit: Unit, agent: AgentState) => void;
  readonly report: (error: unknown) => void;
}

/** Ends the running process and all of its group. */
export type EndProcess = (signal: NodeJS.Signals) => void;

/** A unit's agent as one run sees it. */
export interface Session {
  readonly around: Surroundings;
  readonly unit: Unit;
  readonly state: AgentState;
  /** Whether the agent has been stopped: nothing of the run counts any more. */
  readonly stopped: () => boolean;
  /** Answers hook commands with this context's id while `run` lasts. */
  readonly open: <T>(
    context: HookContext,
    run: (onStart: (end: EndProcess) => void) => Promise<T>,
  ) => Promise<T>;
  /** Makes the context's writes visible; gives the reason why not, or `undefined`. */
  readonly commit: (context: HookContext) => string | undefined;
}

/** A record of the agent's own log. */
export function agentRecord(unit: Unit, level: LogRecord["level"], message: string): LogRecord {
  return {
    time: new Date().toISOString(),
    unit: unit.name,
    module: "juju.worker.uniter.operation",
    level,
    message,
  };
}
