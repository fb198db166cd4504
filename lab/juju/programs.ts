/** Places the programs that charms and cron call: hook commands and juju-exec. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Machine } from "./machine.ts";

const HOOK_COMMAND = join(import.meta.dirname, "programs/hook-command");
const JUJU_EXEC = join(import.meta.dirname, "programs/juju-exec");

/** Fills `directory` with one link per hook command to their program, which it writes there. */
export async function linkHookCommands(
  machine: Machine,
  directory: string,
  names: readonly string[],
): Promise<void> {
  const program = join(directory, "hook-command");
  await machine.makeFolder(directory);
  await machine.writeFile(program, await readFile(HOOK_COMMAND, "utf8"), 0o755);
  for (const name of names) await machine.link(program, join(directory, name));
}

/** Writes juju-exec (2.9: it is called juju-run there) to `path`; it reaches the units whose folders lie in `agents`. */
export async function installJujuExec(machine: Machine, path: string, agents: string): Promise<void> {
  const text = await readFile(JUJU_EXEC, "utf8");
  await machine.makeFolder(dirname(path));
  await machine.writeFile(path, text.replace("@AGENTS@", agents.replaceAll(/['\\]/g, "\\$&")), 0o755);
}
