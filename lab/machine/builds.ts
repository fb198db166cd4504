/** The builds of a unit on another machine, as their journals tell them. */
import type { JournalEvent } from "../../src/build/journal.ts";
import { pathsOf } from "../../src/build/paths.ts";
import { serviceName } from "../../src/build/service/unit.ts";
import { UNIT } from "../story/model.ts";
import type { RemoteMachine } from "./remote-machine.ts";

/** Paths on the machine. */
export const PATHS = pathsOf("/", UNIT);

/** One build. */
export interface RemoteBuild {
  readonly id: string;
  /** Why it was started: `relation`, `schedule` and others. */
  readonly reason: string;
  readonly events: readonly JournalEvent[];
}

/** All builds that the machine has, oldest first. */
export async function buildsOn(machine: RemoteMachine): Promise<readonly RemoteBuild[]> {
  const folders = `for folder in ${PATHS.builds}/*/; do [ -e "$folder/request.json" ] || continue; `;
  const text = await machine.shell(
    `${folders} printf '\\0%s\\0' "$(basename "$folder")"; cat "$folder/request.json"; ` +
      `printf '\\0'; cat "$folder/journal.jsonl" 2>/dev/null; done; true`,
  );
  const [, ...fields] = text.split("\0");
  const builds: RemoteBuild[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [id = "", request = "", journal = ""] = fields.slice(at, at + 3);
    // the last line may be half written
    const lines = journal.slice(0, journal.lastIndexOf("\n") + 1).split("\n");
    builds.push({
      id,
      reason: (JSON.parse(request) as { readonly reason: string }).reason,
      events: lines.filter((line) => line !== "").map((line) => JSON.parse(line) as JournalEvent),
    });
  }
  return builds;
}

/** How it ended; null while it has not. */
export function outcomeOf({ events }: RemoteBuild): string | null {
  return events.find((event) => event.event === "ended")?.outcome ?? null;
}

/** Whether it has come to the step. */
export function hasBegun({ events }: RemoteBuild, step: string): boolean {
  return events.some((event) => event.event === "step-started" && event.step === step);
}

/** A property of the systemd unit that the build runs as. */
export async function serviceProperty(machine: RemoteMachine, id: string, name: string): Promise<string> {
  return (await machine.shell(`systemctl show --value --property ${name} '${serviceName(id)}'`)).trim();
}
