/** What a unit that goes away does to the clouds: its builds end, and what they and earlier ones left is deleted. */
import { join } from "node:path";
import { minutes, seconds, waitFor } from "../base/deadline.ts";
import { exists, readOptional } from "../base/files.ts";
import { listBuilds, PID_FILE } from "../build/history.ts";
import { pathsOf, type Paths } from "../build/paths.ts";
import { canRun } from "../build/process-id.ts";
import { FIRST_MADE } from "../build/step.ts";
import { stopBuild } from "../build/stop-build.ts";
import type { Run } from "../juju/index.ts";
import { runCommand } from "./actions/command.ts";
import type { BuilderConfig } from "./config.ts";
import type { CharmEnvironment } from "./environment.ts";

/** A cancelled build deletes its server in less; what it leaves is reaped. */
const ENDING_MS = minutes(2);
const LOOK_MS = seconds(0.2);

/**
 * Ends this unit's builds and deletes everything in the clouds that serves builds alone: servers, key pairs,
 * snapshots, half uploads and the unit's security group. Published images and base images stay. Never throws for
 * what a cloud refuses: a unit that goes cannot try again, so its log says what is left.
 */
export async function leaveClouds(
  run: Pick<Run<BuilderConfig>, "context" | "log" | "signal">,
  environment: CharmEnvironment,
): Promise<void> {
  const paths = pathsOf(environment.root, run.context.unit);
  await endBuilds(paths, run);
  // builds that never came so far made nothing, and their clouds may not even answer
  const builds = await listBuilds(paths.builds);
  if (!builds.some(({ steps }) => steps.some(({ step }) => step === FIRST_MADE))) return;
  if (!(await exists(paths.requestFile))) return;
  const words = ["reap", "--request", paths.requestFile, "--apply", "--leaving"];
  const { output, problem } = await runCommand(run, environment, words);
  if (problem === null) run.log.info({ output }, "reaped before the unit goes");
  else run.log.warn({ problem }, "something may be left in a cloud");
}

async function endBuilds(paths: Paths, run: Pick<Run<BuilderConfig>, "log" | "signal">): Promise<void> {
  const limit = AbortSignal.any([run.signal, AbortSignal.timeout(ENDING_MS)]);
  for (const build of await listBuilds(paths.builds)) {
    if (!(await stopBuild(build))) continue;
    run.log.info({ build: build.id }, "ended a running build");
    const identity = ((await readOptional(join(build.folder, PID_FILE))) ?? "").trim();
    try {
      await waitFor(limit, LOOK_MS, async () => ((await canRun(identity)) ? undefined : true));
    } catch (error) {
      run.signal.throwIfAborted();
      run.log.warn({ build: build.id, err: error }, "the build does not end");
    }
  }
}
