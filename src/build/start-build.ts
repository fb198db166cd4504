/** Starting a build as a process of its own, which outlives the hook that asked for it. */
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { spawnDetached } from "../base/exec.ts";
import { isMissing, writeAtomic } from "../base/files.ts";
import { PID_FILE, REQUEST_FILE } from "./history.ts";
import { processIdentity } from "./process-id.ts";
import type { Paths } from "./paths.ts";
import { hasSystemd, startService } from "./service/service.ts";
import type { BuildRequest, BuildSecrets } from "./types.ts";

/** How the builder is run: the program with its first parameters, and its whole environment. */
export interface BuilderProgram {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** Name of the file in a build's folder that gets the builder's log, one JSON object per line. */
export const BUILD_LOG_FILE = "build.log";

/**
 * Writes `request` (and `secrets`, to a file that only root can read and the builder removes),
 * then starts the builder detached: as a unit of systemd, where that runs, else as a process in its own session. Gives the build's folder. What the builder reports is in its journal.
 */
export async function startBuild(
  request: Omit<BuildRequest, "secretsFile">,
  secrets: BuildSecrets | null,
  paths: Paths,
  program: BuilderProgram,
): Promise<string> {
  const folder = join(paths.builds, request.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let secretsFile: string | null = null;
  if (secrets !== null) {
    await mkdir(paths.runtime, { recursive: true, mode: 0o700 });
    secretsFile = join(paths.runtime, `${request.id}.json`);
    await writeAtomic(secretsFile, JSON.stringify(secrets), 0o600);
  }
  const requestFile = join(folder, REQUEST_FILE);
  await writeAtomic(requestFile, `${JSON.stringify({ ...request, secretsFile }, null, 2)}\n`, 0o600);
  const words = [...program.command, "run", "--request", requestFile, "--log-format", "json"] as const;
  const own = join(folder, BUILD_LOG_FILE);
  const pid = (await hasSystemd(paths))
    ? await startService(
        request.id,
        // what it says elsewhere goes to systemd's journal
        [...words, "--log-file", own, "--log-file", paths.logFile],
        program,
        folder,
        paths,
      )
    : await startProcess([...words, "--log-file", paths.logFile], program, folder, own);
  // null: it has ended already, and no process will ever be taken for it
  const identity = (await processIdentity(pid)) ?? `${pid}:ended`;
  await writeAtomic(join(folder, PID_FILE), `${identity}\n`, 0o600);
  return folder;
}

/** Removes what builds were to be told, on tmpfs, but for those that are `underWay`: their builders never began. */
export async function dropSecrets(runtime: string, underWay: ReadonlySet<string>): Promise<void> {
  let names: string[];
  try {
    names = await readdir(runtime);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  for (const name of names) {
    // a build's id begins with its time; what other processes are handed over is not ours to judge
    const [, id] = /^(\d[a-z0-9-]*)\.json(\..+\.tmp)?$/.exec(name) ?? [];
    if (id !== undefined && !underWay.has(id)) await rm(join(runtime, name), { force: true });
  }
}

async function startProcess(
  [file, ...parameters]: readonly [string, ...string[]],
  program: BuilderProgram,
  cwd: string,
  logFile: string,
): Promise<number> {
  await using log = await open(logFile, "a", 0o600);
  return await spawnDetached(file, parameters, { env: program.env, cwd, output: log.fd });
}
