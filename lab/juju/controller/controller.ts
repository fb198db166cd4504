/** What every change by the admin works on. */
import { join } from "node:path";
import type { AgentPool } from "../agents.ts";
import type { LogRecord } from "../commands/command.ts";
import type { Faults, JournalEntry } from "../journal.ts";
import type { Machine } from "../machine.ts";
import type { Model } from "../model.ts";
import type { CharmStore } from "./charm-store.ts";

/** The next number of everything that is numbered. */
export interface Numbers {
  machine: number;
  relation: number;
  action: number;
}

/** A running controller: its model, its agents, and the record of what they did. */
export interface Controller {
  /** Folder on the machine that Juju's folders are below. */
  readonly root: string;
  readonly machine: Machine;
  readonly model: Model;
  readonly agents: AgentPool;
  readonly charms: CharmStore;
  readonly faults: Faults;
  readonly journal: readonly JournalEntry[];
  readonly logs: readonly LogRecord[];
  readonly numbers: Numbers;
}

/** The folder of the agents' folders. */
export function agentsFolder(root: string): string {
  return join(root, "var/lib/juju/agents");
}

/** Takes the next number of a kind. */
export function takeNumber(numbers: Numbers, kind: keyof Numbers): number {
  const number = numbers[kind];
  numbers[kind] = number + 1;
  return number;
}
