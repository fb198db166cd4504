/** `image-builder list-builds`: the journals, for people and (`--json`) for programs. */
import { dirname, join, resolve } from "node:path";
import { formatDuration } from "../../base/errors.ts";
import { listBuilds, type Build } from "../../build/history.ts";
import { SCHEDULE_FILE } from "../../build/paths.ts";
import { minuteOf, nextTick, readTicks } from "../../build/ticks.ts";
import { specName } from "../../build/types.ts";
import type { Terminal } from "../program.ts";
import { table } from "../table.ts";

/** Writes one line per build, oldest first, and when the next one is due if a charm has scheduled it. */
export async function listBuildsCommand(
  options: { readonly builds: string; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const builds = await listBuilds(options.builds);
  if (options.json) {
    terminal.stdout.write(`${JSON.stringify(builds.map(summary), null, 2)}\n`);
    return;
  }
  const rows = builds.map(({ id, state, request, artifacts, startedAt, endedAt }) => [
    id,
    state,
    request.images.map(specName).join(","),
    `${artifacts.length} copies`,
    startedAt === null || endedAt === null ? "" : formatDuration(Date.parse(endedAt) - Date.parse(startedAt)),
    `${request.kind}, ${request.reason}`,
  ]);
  if (rows.length > 0) {
    terminal.stdout.write(`${table(["BUILD", "STATE", "IMAGES", "COPIES", "TOOK", "WHY"], rows)}\n`);
  }
  const next = await nextBuild(options.builds);
  if (next !== null) terminal.stdout.write(`next build: ${minuteOf(next)}\n`);
}

/** When the charm that writes its builds into the folder `builds` starts the next one; null without a schedule. */
export async function nextBuild(builds: string): Promise<Date | null> {
  const ticks = await readTicks(join(dirname(resolve(builds)), SCHEDULE_FILE));
  return ticks === null ? null : nextTick(ticks, new Date(), null);
}

/** A build as programs see it. */
export function summary(build: Build): Omit<Build, "request"> & { readonly reason: string } {
  const { request, ...rest } = build;
  return { ...rest, reason: request.reason };
}
