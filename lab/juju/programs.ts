/** Places the programs that charms and cron call: hook commands and juju-exec. */
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const HOOK_COMMAND = join(import.meta.dirname, "programs/hook-command");
const JUJU_EXEC = join(import.meta.dirname, "programs/juju-exec");

/** Fills `directory` with one link per hook command. */
export async function linkHookCommands(directory: string, names: readonly string[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of names) await symlink(HOOK_COMMAND, join(directory, name));
}

/** Writes juju-exec (2.9: it is called juju-run there) to `path`; it reaches the units whose folders lie in `agents`. */
export async function installJujuExec(path: string, agents: string): Promise<void> {
  const text = await readFile(JUJU_EXEC, "utf8");
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text.replace("@AGENTS@", agents.replaceAll(/['\\]/g, "\\$&")));
  await chmod(path, 0o755);
}
