/** The switch from the Python charm on the unit's machine (docs/how-to/switch-from-the-python-charm.md). */
import { chmod, mkdir, rm } from "node:fs/promises";
import { exists, readOptional, writeAtomic } from "../../base/files.ts";
import { pathsOf } from "../../build/paths.ts";
import { findTraces, formatTraces, logFilesIn, tracesFile } from "../../build/python-charm/traces.ts";
import type { Run } from "../../juju/index.ts";
import type { BuilderConfig } from "../config.ts";
import type { CharmEnvironment } from "../environment.ts";
import { pythonFilesOf, removePythonFiles, type PythonFiles } from "./files.ts";
import { markIn } from "./mark.ts";
import { endBuildsOf } from "./processes.ts";

/**
 * On a unit that {@link wasPythonCharm}: takes its schedule away, ends builds of its that still run, keeps what its log and
 * its key prove to be of its making in clouds, and removes its files. Nothing else; can be repeated after a crash.
 */
export async function leavePythonCharm(
  { context, log }: Pick<Run<BuilderConfig>, "context" | "log">,
  { root }: Pick<CharmEnvironment, "root">,
): Promise<void> {
  const files = pythonFilesOf(root, context.application);
  const cron = await readOptional(files.cronFile);
  if (cron !== undefined && !mentions(cron, context.unit)) {
    log.warn({ file: files.cronFile }, "another unit of the Python charm is on this machine; its files stay");
  } else {
    // first: from here on nothing starts a build by its rules
    await rm(files.cronFile, { force: true });
    await rm(files.cloudsFile, { force: true });
    const ended = await endBuildsOf(files.program);
    if (ended.length > 0) log.warn({ processes: ended.join(",") }, "ended a build of the Python charm");
    await keepTraces(files, context.unit, root, log);
    await removePythonFiles(files);
    await chmodIfThere(files.logs);
    log.info({}, "removed the files of the Python charm");
  }
  await rm(markIn(context.charmDir), { force: true });
}

async function keepTraces(
  files: PythonFiles,
  unit: string,
  root: string,
  log: Run<BuilderConfig>["log"],
): Promise<void> {
  const paths = pathsOf(root, unit);
  const path = tracesFile(paths.publishedFile);
  // an earlier run may have removed what it read
  if (await exists(path)) return;
  const traces = await findTraces(await logFilesIn(files.logs), files.keyFile, (file, error) =>
    log.warn({ file, err: error }, "cannot read what the Python charm left"),
  );
  await mkdir(paths.state, { recursive: true, mode: 0o700 });
  await writeAtomic(path, formatTraces(traces), 0o600);
}

/** The folder was readable for everybody; our own logs are not. */
async function chmodIfThere(folder: string): Promise<void> {
  if (await exists(folder)) await chmod(folder, 0o750);
}

function mentions(cron: string, unit: string): boolean {
  return cron.split(/[\s"']+/).includes(unit);
}
