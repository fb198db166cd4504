/** Workload status: collected as facts, reduced to the worst, set once (juju-rules 4.4). */
import { redact } from "../base/redact.ts";
import { oneLine } from "./free-text.ts";
import type { HookTool } from "./hook-tool.ts";
import { statusSet, type StatusName } from "./hook-commands/identity.ts";

/** A status and why; only `active` needs no reason. */
export interface Status {
  readonly name: StatusName;
  readonly message: string;
}

/** All is well. */
export const active = (message = ""): Status => ({ name: "active", message });
/** A person has to act; the message says what. */
export const blocked = (message: string): Status => ({ name: "blocked", message });
/** The charm is at work. */
export const maintenance = (message: string): Status => ({ name: "maintenance", message });
/** Something else has to happen first; it will without anybody's help. */
export const waiting = (message: string): Status => ({ name: "waiting", message });

const WORST_FIRST: readonly StatusName[] = ["blocked", "maintenance", "waiting", "active"];
/** Longest message of a status in characters, of which `juju status` shows a line; a longer one is cut. */
export const LONGEST_MESSAGE = 500;

/** The worst of `statuses`, the first of equals; `undefined` for none. */
export function worst(statuses: readonly Status[]): Status | undefined {
  for (const name of WORST_FIRST) {
    const status = statuses.find((one) => one.name === name);
    if (status !== undefined) return status;
  }
  return undefined;
}

/** A setter that makes the message one line of bounded length and skips what it has set already in this dispatch. */
export function statusSetter(tool: HookTool): (status: Status) => Promise<void> {
  let last: Status | undefined;
  return async ({ name, message }) => {
    const next: Status = { name, message: oneLine(redact(message), LONGEST_MESSAGE) };
    if (last?.name === next.name && last.message === next.message) return;
    await statusSet(tool, next.name, next.message);
    last = next;
  };
}
