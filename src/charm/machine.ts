/** The charm's own things on the machine: made by install, gone after remove. */
import { mkdir, rm } from "node:fs/promises";
import { removeAtomic } from "../base/files.ts";
import type { Logger } from "../base/log.ts";
import { listBuilds } from "../build/history.ts";
import type { Paths } from "../build/paths.ts";
import { installService, removeService } from "../build/service/service.ts";
import { stopBuild } from "../build/stop-build.ts";

/** Makes the folders that later hooks count on, and what systemd and logrotate need; `path` finds programs. */
export async function install(paths: Paths, path: string): Promise<void> {
  await mkdir(paths.builds, { recursive: true, mode: 0o700 });
  // `dispatch` lets Node keep compiled code here from the next hook on
  await mkdir(paths.compileCache, { recursive: true, mode: 0o700 });
  await installService(paths, path);
}

/** Ends a running build and removes every file that the charm wrote. */
export async function remove(paths: Paths, path: string, log: Logger): Promise<void> {
  for (const build of await listBuilds(paths.builds)) {
    if (await stopBuild(build)) log.info({ build: build.id }, "ended a running build");
  }
  await removeAtomic(paths.cronFile);
  await rm(paths.state, { recursive: true, force: true });
  await rm(paths.runtime, { recursive: true, force: true });
  await rm(paths.compileCache, { recursive: true, force: true });
  await rm(paths.metricsFile, { force: true });
  await (await import("./cos/observe.ts")).stopListening(paths, path);
  await removeService(paths, path);
}
