/**
 * Converging: reads everything, ignores which event came, and makes files, schedule, builds and databags what
 * they should be. Every handler but `remove` is this function.
 */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeIfChanged } from "../base/files.ts";
import { forgetOldBuilds, listBuilds, newestArtifacts, type Build } from "../build/history.ts";
import { startBuild } from "../build/start-build.ts";
import { formatPublished } from "../build/steps/prune.ts";
import { formatTicks } from "../build/ticks.ts";
import type { BuildKind } from "../build/types.ts";
import { formatCloudsYaml } from "../openstack/index.ts";
import type { Run } from "../juju/index.ts";
import { accessDigest, inputsDigest, requestOf } from "./build-request.ts";
import type { BuilderConfig } from "./config.ts";
import { dueBuild, isUnderWay } from "./due.ts";
import { builderProgram, findJujuExec, type CharmEnvironment } from "./environment.ts";
import type { Facts } from "./facts.ts";
import { changedPublication, publishedImages } from "./image-relation.ts";
import { cronFile } from "./schedule.ts";
import { ticksHere, writeSettled } from "./settled.ts";

/** Converges and gives the build that was started, if one was due. */
export async function reconcile(
  run: Run<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
): Promise<string | null> {
  const { paths } = facts;
  const jujuExec = await writeFiles(run, facts);
  const builds = await forgetOldBuilds(await listBuilds(paths.builds));
  const isPublished = await publish(facts, builds);
  const wanted = {
    inputs: inputsDigest(facts, run.context),
    access: accessDigest(facts),
    clouds: facts.targets,
  };
  // what is only queued may still be refused: the next dispatch looks again
  if (isPublished) await writeSettled(run.context, facts, wanted, environment);
  const due = dueBuild(builds, wanted);
  if (due === null) return null;
  return await start(run, facts, environment, due, jujuExec);
}

/**
 * Converges, then builds whatever the history says, unless a build is under way: that one is joined. Gives
 * the id of the build that runs now.
 */
export async function buildNow(
  run: Run<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
  reason: string,
): Promise<string> {
  const started = await reconcile(run, facts, environment);
  if (started !== null) return started;
  const builds = await listBuilds(facts.paths.builds);
  const underWay = builds.find(isUnderWay);
  if (underWay !== undefined) {
    run.log.info({ build: underWay.id }, "a build is under way; joined it");
    return underWay.id;
  }
  const jujuExec = await findJujuExec(facts.paths);
  return await start(run, facts, environment, { kind: "build", reason }, jujuExec);
}

async function writeFiles(run: Run<BuilderConfig>, facts: Facts): Promise<string | null> {
  const { paths, clouds, config } = facts;
  const { unit, application, model } = run.context;
  await mkdir(paths.builds, { recursive: true, mode: 0o700 });
  if (await writeIfChanged(paths.cloudsFile, formatCloudsYaml(clouds), 0o600)) {
    run.log.info({ clouds: [...clouds.keys()].join(",") }, "wrote clouds.yaml");
  }
  const ticks = await ticksHere(run.context, paths, config.timing);
  if (ticks === null) await rm(paths.scheduleFile, { force: true });
  else await writeIfChanged(paths.scheduleFile, formatTicks(ticks), 0o600);
  const jujuExec = await findJujuExec(paths);
  if (jujuExec === null) {
    run.log.warn({}, "neither juju-exec nor juju-run is installed; builds are not scheduled");
    return null;
  }
  const { timing } = config;
  const lockFile = join(paths.runtime, "cron.lock");
  const schedule = { unit, application, modelUuid: model.uuid, timing, jujuExec, lockFile };
  await mkdir(paths.runtime, { recursive: true, mode: 0o700 });
  await mkdir(dirname(paths.cronFile), { recursive: true, mode: 0o755 });
  if (await writeIfChanged(paths.cronFile, cronFile(schedule), 0o644)) {
    const when = timing.kind === "cron" ? timing.expression : `every ${timing.hours} hours`;
    run.log.info({ when }, "wrote the schedule");
  }
  return jujuExec;
}

/** Queues the databags that differ; true when none does. */
async function publish(facts: Facts, builds: readonly Build[]): Promise<boolean> {
  const artifacts = newestArtifacts(builds);
  const ids: string[] = [];
  let isPublished = true;
  for (const { relation, cloud, published } of facts.requirers) {
    const bag = cloud === null ? null : changedPublication(facts.specs, cloud, artifacts, published);
    if (bag !== null) {
      relation.setUnitData(bag);
      isPublished = false;
    }
    ids.push(...publishedImages(bag ?? published).values());
  }
  await writeIfChanged(facts.paths.publishedFile, formatPublished([...new Set(ids)]), 0o600);
  return isPublished;
}

async function start(
  run: Run<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
  order: { readonly kind: BuildKind; readonly reason: string },
  jujuExec: string | null,
): Promise<string> {
  const request = requestOf(facts, run.context, order, jujuExec, new Date());
  const program = builderProgram(environment, facts.paths, run.context.proxies);
  await startBuild(request, facts.scriptSecrets, facts.paths, program);
  run.log.info({ build: request.id, kind: order.kind, reason: order.reason }, "started a build");
  return request.id;
}
