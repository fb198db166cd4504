/** Builds that wait for another one's end: a folder with the order, and no process. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../base/files.ts";
import { REQUEST_FILE, WAITING_FILE, type Build } from "./history.ts";
import { openJournal } from "./journal.ts";
import type { BuildRequest } from "./types.ts";

/** Writes `request` down as one that waits; an older one with the same id is replaced. */
export async function keepWaiting(builds: string, request: Omit<BuildRequest, "secretsFile">): Promise<void> {
  const folder = join(builds, request.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, WAITING_FILE), "", { mode: 0o600 });
  // last: a folder without it is no build
  const text = `${JSON.stringify({ ...request, secretsFile: null }, null, 2)}\n`;
  await writeAtomic(join(folder, REQUEST_FILE), text, 0o600);
}

/** The build among `builds` that waits; null when none does. */
export function waitingIn(builds: readonly Build[]): Build | null {
  return builds.find(({ state }) => state === "waiting") ?? null;
}

/** Takes the waiting mark off a build that is about to start. */
export async function stopWaiting(builds: string, id: string): Promise<void> {
  await rm(join(builds, id, WAITING_FILE), { force: true });
}

/** Gives a waiting build up: it counts as cancelled. */
export function cancelWaiting(build: Build, reason: string): void {
  using journal = openJournal(build.folder, () => {});
  journal.add({ event: "ended", outcome: "cancelled", error: reason });
}
