/** The action `run`: a build now, for all or for some. */
import { seconds, waitFor } from "../../base/deadline.ts";
import { AppError } from "../../base/errors.ts";
import { listBuilds, readBuild } from "../../build/history.ts";
import { specName } from "../../build/types.ts";
import { join } from "node:path";
import type { ActionRun } from "../../juju/index.ts";
import type { BuilderConfig } from "../config.ts";
import { isUnderWay } from "../due.ts";
import type { CharmEnvironment } from "../environment.ts";
import type { Facts } from "../facts.ts";
import { buildNow, reconcile } from "../reconcile.ts";
import { followBuild } from "./follow.ts";
import { cloudsNamed, imagesNamed, listOf, PARAMETERS } from "./parameters.ts";

const LOOK_MS = seconds(0.5);

/** Starts, joins or queues a build; with `wait` follows it until its images are uploaded, and publishes them. */
export async function runAction(
  run: ActionRun<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
): Promise<void> {
  const { bases, clouds, wait } = await run.action.params(PARAMETERS.run);
  if (!facts.peers.isLeader) {
    const { unit, application } = run.context;
    throw new AppError(`cannot build on ${unit}: it does not lead; run juju run ${application}/leader run`);
  }
  if (facts.targets.length === 0) {
    throw new AppError("cannot build: no related charm has given credentials; integrate one first");
  }
  const wish = {
    reason: "action",
    images: imagesNamed("bases", listOf(bases), facts.specs),
    targets: cloudsNamed(listOf(clouds), facts),
  };
  const id = await buildNow(run, facts, environment, wish);
  await run.action.setResults({ build: id });
  if (wait) await awaitBuild(run, facts, environment, id);
}

async function awaitBuild(
  run: ActionRun<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
  id: string,
): Promise<void> {
  const folder = join(facts.paths.builds, id);
  // no hook can start it while this action runs: the next look does
  await waitFor(run.signal, LOOK_MS, async () => {
    const build = await readBuild(folder);
    if (build === null) throw new AppError(`cannot wait for build ${id}: it runs on another unit`);
    if (build.state !== "waiting") return true;
    if (!(await listBuilds(facts.paths.builds)).some(isUnderWay)) await reconcile(run, facts, environment);
    return undefined;
  });
  const build = await followBuild(folder, run.action.log, run.signal);
  // what is uploaded is published with the end of this action
  await reconcile(run, facts, environment);
  const images: Record<string, Record<string, string>> = {};
  for (const { spec, cloud, imageId } of build.artifacts) {
    images[specName(spec)] = { ...images[specName(spec)], [cloud]: imageId };
  }
  const state = build.state === "running" ? "uploaded" : build.state;
  await run.action.setResults({ state, images });
  if (build.errors.length > 0) await run.action.fail(`build ${id} failed: ${build.errors.join("; ")}`);
  else if (state === "cancelled" || state === "interrupted")
    await run.action.fail(`build ${id} was ${state}`);
}
