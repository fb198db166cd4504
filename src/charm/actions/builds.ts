/** Actions about this unit's builds: they need neither a complete config nor a cloud. */
import { seconds, waitFor } from "../../base/deadline.ts";
import { AppError, DeadlineError } from "../../base/errors.ts";
import { listBuilds, type Build } from "../../build/history.ts";
import { pathsOf } from "../../build/paths.ts";
import { stopBuild } from "../../build/stop-build.ts";
import { cancelWaiting } from "../../build/waiting.ts";
import type { ActionRun } from "../../juju/index.ts";
import type { BuilderConfig } from "../config.ts";
import type { CharmEnvironment } from "../environment.ts";
import { answer, runCommand } from "./command.ts";
import { PARAMETERS } from "./parameters.ts";

type Handler = (run: ActionRun<BuilderConfig>, environment: CharmEnvironment) => Promise<void>;

/** So long an action waits for a builder to delete what it made. */
const TIDY_MS = seconds(60);

/** The action `list-builds`. */
export const listBuildsAction: Handler = async (run, environment) => {
  const { format } = await run.action.params(PARAMETERS.format);
  const { builds } = pathsOf(environment.root, run.context.unit);
  const parameters = ["list-builds", "--builds", builds, ...(format === "json" ? ["--json"] : [])];
  await answer(run, await runCommand(run, environment, parameters));
};

/** The action `show-build`. */
export const showBuildAction: Handler = async (run, environment) => {
  const { build: id, format } = await run.action.params(PARAMETERS.showBuild);
  const builds = await buildsHere(run, environment);
  const build = id === "" ? builds.at(-1) : builds.find((one) => one.id === id);
  if (build === undefined) throw unknown(id, builds, run.context.unit);
  const parameters = ["show-build", build.folder, ...(format === "json" ? ["--json"] : [])];
  await answer(run, await runCommand(run, environment, parameters));
};

/** The action `cancel`. Waits a minute for the builder to tidy up, and says so when it takes longer. */
export const cancelAction: Handler = async (run, environment) => {
  const { build: id } = await run.action.params(PARAMETERS.cancel);
  const builds = await buildsHere(run, environment);
  if (id !== "" && !builds.some((build) => build.id === id)) throw unknown(id, builds, run.context.unit);
  const meant = builds.filter((build) => id === "" || build.id === id);
  const waiting = meant.filter(({ state }) => state === "waiting");
  for (const build of waiting) cancelWaiting(build, "cancelled by the action");
  const stopped: Build[] = [];
  for (const build of meant) if (await stopBuild(build)) stopped.push(build);
  if (waiting.length + stopped.length === 0) {
    throw new AppError(
      id === ""
        ? "no build runs or waits on this unit"
        : `build ${id} neither runs nor waits: it is ${meant[0]?.state}`,
    );
  }
  const cancelled = [...waiting, ...stopped].map((build) => build.id).join(",");
  await run.action.setResults({
    cancelled,
    state: (await haveEnded(run, environment, stopped)) ? "ended" : "ending",
  });
};

async function haveEnded(
  run: ActionRun<BuilderConfig>,
  environment: CharmEnvironment,
  stopped: readonly Build[],
): Promise<boolean> {
  const limit = AbortSignal.timeout(TIDY_MS);
  try {
    return await waitFor(AbortSignal.any([run.signal, limit]), seconds(0.25), async () => {
      const now = await buildsHere(run, environment);
      const isOver = stopped.every(({ id }) => {
        const state = now.find((build) => build.id === id)?.state;
        return state !== "running" && state !== "queued";
      });
      return isOver ? true : undefined;
    });
  } catch (error) {
    run.signal.throwIfAborted();
    if (limit.aborted || error instanceof DeadlineError) return false;
    throw error;
  }
}

async function buildsHere(
  run: ActionRun<BuilderConfig>,
  environment: CharmEnvironment,
): Promise<readonly Build[]> {
  return await listBuilds(pathsOf(environment.root, run.context.unit).builds);
}

function unknown(id: string, builds: readonly Build[], unit: string): AppError {
  if (id === "") return new AppError(`there is no build on ${unit} yet`);
  const newest = builds.at(-1);
  return new AppError(
    `there is no build ${id} on ${unit}${newest === undefined ? "" : `; the newest is ${newest.id}`}`,
  );
}
