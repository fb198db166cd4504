/** Builds as units of systemd: apart from the agent's control group, which ends what a hook left with the agent. */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { seconds } from "../../base/deadline.ts";
import { AppError } from "../../base/errors.ts";
import { exec, ExecError } from "../../base/exec.ts";
import { isMissing, removeAtomic, writeAtomic, writeIfChanged } from "../../base/files.ts";
import { shellQuote } from "../cloud-init/shell-quote.ts";
import type { Paths } from "../paths.ts";
import type { BuilderProgram } from "../start-build.ts";
import { logRotation, SERVICE_SLICE, serviceName, serviceTemplate } from "./unit.ts";

const LIMIT_MS = seconds(60);

/** Whether systemd runs this machine (sd_booted(3)). */
export async function hasSystemd({ systemd }: Paths): Promise<boolean> {
  try {
    return (await stat(systemd)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether systemd is taking the machine down (systemctl(1), `is-system-running`); false where there is none to ask. */
export async function isMachineStopping(path: string): Promise<boolean> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const { stdout } = await exec("systemctl", ["is-system-running"], { env: { PATH: path }, signal });
    return stdout.trim() === "stopping";
  } catch (error) {
    if (error instanceof ExecError) return false;
    throw error;
  }
}

/** Writes what is needed on the machine beside the unit's own folders: log folder, rotation, and systemd's template. */
export async function installService(paths: Paths, path: string): Promise<void> {
  await mkdir(paths.logs, { recursive: true, mode: 0o750 });
  await mkdir(dirname(paths.logrotateFile), { recursive: true, mode: 0o755 });
  await writeIfChanged(paths.logrotateFile, logRotation(paths), 0o644);
  if (!(await hasSystemd(paths))) return;
  await mkdir(paths.starts, { recursive: true, mode: 0o700 });
  await mkdir(dirname(paths.serviceFile), { recursive: true, mode: 0o755 });
  if (await writeIfChanged(paths.serviceFile, serviceTemplate(paths), 0o644)) {
    await systemctl(["daemon-reload"], path);
  }
}

/**
 * Starts `words` with the environment of `program` as the unit of the build `id`, in the folder `cwd`; gives its process
 * id, 0 when it has ended already. What starts it, environment included, is in a file that only root can read.
 */
export async function startService(
  id: string,
  words: readonly string[],
  program: BuilderProgram,
  cwd: string,
  paths: Paths,
): Promise<number> {
  const path = program.env["PATH"] ?? "";
  await installService(paths, path);
  await dropOldStarts(paths);
  const lines = [
    `cd ${shellQuote(cwd)}`,
    ...Object.entries(program.env).map(([name, value]) => `export ${name}=${shellQuote(value)}`),
    `exec ${words.map(shellQuote).join(" ")}`,
  ];
  await writeAtomic(join(paths.starts, id), `${lines.join("\n")}\n`, 0o600);
  await systemctl(["start", serviceName(id)], path);
  const shown = await systemctl(["show", "--property", "MainPID", "--value", serviceName(id)], path);
  return Number.parseInt(shown, 10) || 0;
}

/** Removes what {@link installService} made, unless other units of ours are on the machine. */
export async function removeService(paths: Paths, path: string): Promise<void> {
  await rm(paths.logFile, { force: true });
  const shared = [paths.state, paths.starts, paths.metrics, paths.serveScript].map((each) => basename(each));
  const others = (await entries(paths.home)).filter((name) => !shared.includes(name));
  if (others.length > 0) return;
  for (const folder of [paths.home, paths.runtimeHome, paths.logs])
    await rm(folder, { recursive: true, force: true });
  await removeAtomic(paths.logrotateFile);
  await removeAtomic(paths.serviceFile);
  if (!(await hasSystemd(paths))) return;
  await systemctl(["stop", SERVICE_SLICE], path);
  await systemctl(["daemon-reload"], path);
}

/** A start file is needed until its build runs: those of builds whose folders are gone, and of builds that ended, go. */
async function dropOldStarts(paths: Paths): Promise<void> {
  const { starts } = paths;
  const day = 24 * 3_600_000;
  for (const id of await entries(starts)) {
    const { mtimeMs } = await stat(join(starts, id));
    if (Date.now() - mtimeMs > day) await rm(join(starts, id), { force: true });
  }
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** What systemctl(1) says to `words`; throws AppError with its words when it fails. `path` finds it. */
export async function systemctl(words: readonly string[], path: string): Promise<string> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const { code, stdout, stderr } = await exec("systemctl", words, { env: { PATH: path }, signal });
  if (code !== 0)
    throw new AppError(`systemctl ${words.join(" ")} failed: ${stderr.trim() || `exit code ${code}`}`);
  return stdout.trim();
}
