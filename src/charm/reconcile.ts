/**
 * Converging: reads everything, ignores which event came, and makes files, schedule, builds and databags what
 * they should be. Every handler but `remove` is this function.
 */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeIfChanged } from "../base/files.ts";
import { forgetOldBuilds, listBuilds, type Build } from "../build/history.ts";
import { formatPins } from "../build/pins.ts";
import { startCheck } from "../build/releases.ts";
import { dropProxies } from "../build/proxy-file.ts";
import { newBuildId, timeAfter } from "../build/request.ts";
import { dropSecrets, startBuild } from "../build/start-build.ts";
import { formatTicks } from "../build/ticks.ts";
import { keepWaiting, stopWaiting, waitingIn } from "../build/waiting.ts";
import { formatCloudsYaml } from "../openstack/index.ts";
import type { Run } from "../juju/index.ts";
import { adoptionOrder, isAnyPublished } from "./adoption.ts";
import { accessDigest, inputsDigest, requestOf, secretsDigest, type Order } from "./build-request.ts";
import type { BuilderConfig } from "./config.ts";
import { followDepartures } from "./departures.ts";
import { dueBuild, isUnderWay, type Due, type History } from "./due.ts";
import { builderProgram, findJujuExec, type CharmEnvironment } from "./environment.ts";
import type { Facts } from "./facts.ts";
import { publishedImages } from "./image-relation.ts";
import { covers, nextOrder, orderOf, widened, type Wish } from "./orders.ts";
import { historyOf } from "./past.ts";
import { applicationUnits } from "./peers.ts";
import { publish, tellOthers } from "./publish.ts";
import { cronFile, eventCommand } from "./schedule.ts";
import { ticksHere, writeSettled } from "./settled.ts";

/** Converges and gives the build that was started, if one was due. */
export async function reconcile(
  run: Run<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
): Promise<string | null> {
  const { paths, peers } = facts;
  const before = facts.config.removeDepartedImages
    ? await (await import("./read-clouds.ts")).readClouds(paths.cloudsFile)
    : new Map<string, never>();
  const jujuExec = await writeFiles(run, facts);
  await writeRequest(run, facts, jujuExec);
  const builds = await forgetOldBuilds(await listBuilds(paths.builds));
  await dropProxies(paths.runtime);
  await dropSecrets(paths.runtime, new Set(builds.filter(isUnderWay).map(({ id }) => id)));
  const history = historyOf(builds, peers, facts.forgotten, facts.pins, new Date());
  const { isUnchanged, ids } = await publish(run.context, facts, builds, history);
  const artifacts = history.artifacts.values();
  await followDepartures(run, facts, { before, published: ids, builds, artifacts }, environment);
  const wanted = {
    inputs: inputsDigest(facts, run.context),
    access: accessDigest(facts),
    secretsDigest: secretsDigest(facts, run.context),
    clouds: facts.targets,
    isPublished: isAnyPublished(facts.requirers),
  };
  const order = peers.isLeader ? orderNow(facts, builds, history, dueBuild(history, wanted)) : null;
  const isOffered = await tellWatchers(run, facts, builds, history, environment);
  if (order !== null) return await start(run, facts, environment, order, jujuExec);
  const isTold = await tellOthers(run.context, facts, builds);
  const isSettled = isUnchanged && isTold && isOffered && facts.collection.problem === null;
  // what is only queued may still be refused: the next dispatch looks again
  if (isSettled) await writeSettled(run.context, facts, wanted, builds, environment);
  return null;
}

function orderNow(facts: Facts, builds: readonly Build[], history: History, due: Due | null): Order | null {
  return due?.kind === "adopt" ? adoptionOrder(due, facts) : nextOrder(facts.specs, builds, history, due);
}

/**
 * Converges, then builds what `wish` names whatever the history says. A build under way that covers it is joined; else
 * the wish waits for that one's end, together with what waits already. Gives the id of the build that serves it. To be
 * called on the leader alone.
 */
export async function buildNow(
  run: Run<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
  wish: Wish,
): Promise<string> {
  await reconcile(run, facts, environment);
  const builds = await listBuilds(facts.paths.builds);
  const past = historyOf(builds, facts.peers, facts.forgotten, facts.pins, new Date());
  const jujuExec = await findJujuExec(facts.paths);
  const underWay = past.builds.find(isUnderWay);
  if (underWay === undefined) {
    return await start(run, facts, environment, { kind: "build", ...orderOf(wish) }, jujuExec);
  }
  const ours = builds.find(({ id }) => id === underWay.id);
  if (ours === undefined || covers(ours.request, wish, facts.specs)) {
    run.log.info({ build: underWay.id }, "a build is under way; joined it");
    return underWay.id;
  }
  const before = waitingIn(builds);
  const both = before === null ? wish : widened(before, wish);
  const id = before?.id ?? nextId(builds, facts);
  const order = { id, kind: "build" as const, ...orderOf(both) };
  const request = requestOf(facts, run.context, order, jujuExec, [], new Date());
  await keepWaiting(facts.paths.builds, request);
  run.log.info({ build: request.id, for: underWay.id }, "a build waits for the one under way");
  return request.id;
}

/** Metrics, and what an agent of COS is offered; true when nothing was queued for it. */
async function tellWatchers(
  run: Run<BuilderConfig>,
  facts: Facts,
  builds: readonly Build[],
  { artifacts }: History,
  environment: CharmEnvironment,
): Promise<boolean> {
  const { observe } = await import("./cos/observe.ts");
  const related = facts.requirers.flatMap(({ cloud, relation }) =>
    cloud === null ? [] : [{ cloud, relation }],
  );
  const published = await Promise.all(
    related.map(async ({ cloud, relation }) => ({
      cloud,
      ids: publishedImages(await relation.ourUnitData()),
    })),
  );
  const known = [
    ...facts.peers.artifacts,
    ...builds.flatMap((build) => build.artifacts),
    ...artifacts.values(),
  ];
  const ticks = await ticksHere(run.context, facts.paths, facts.config.timing);
  return await observe(run, facts, { builds, ticks, artifacts: known, published }, environment.path);
}

/** Keeps the request of a build that would start now, for commands that need to know what a build knows. */
async function writeRequest(run: Run<BuilderConfig>, facts: Facts, jujuExec: string | null): Promise<void> {
  const order = { id: "none", kind: "build", reason: "hand" } as const;
  const units = facts.peers.others;
  const request = requestOf(facts, run.context, order, jujuExec, units, new Date(0));
  const text = `${JSON.stringify({ ...request, secretsFile: null }, null, 2)}\n`;
  await writeIfChanged(facts.paths.requestFile, text, 0o600);
}

/**
 * Looks, in a process of its own, whether there is a runner or a base image that the newest build did not know; the
 * event `release-found` comes when there is. Nothing to compare with, or a build under way: nothing to do.
 */
export async function checkReleases(
  run: Run<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
): Promise<void> {
  const { paths, peers, forgotten } = facts;
  const jujuExec = await findJujuExec(paths);
  const builds = await listBuilds(paths.builds);
  const newest = builds.findLast(({ request }) => request.kind === "build");
  const isBusy = historyOf(builds, peers, forgotten, facts.pins, new Date()).builds.some(isUnderWay);
  if (jujuExec === null || newest === undefined || isBusy) return;
  const program = await builderProgram(environment, paths, run.context.proxies);
  await startCheck(newest.folder, program, [jujuExec, run.context.unit, eventCommand("release-found")]);
}

async function writeFiles(run: Run<BuilderConfig>, facts: Facts): Promise<string | null> {
  const { paths, clouds, config } = facts;
  const { unit, application, model } = run.context;
  await mkdir(paths.builds, { recursive: true, mode: 0o700 });
  if (await writeIfChanged(paths.cloudsFile, formatCloudsYaml(clouds), 0o600)) {
    run.log.info({ clouds: [...clouds.keys()].join(",") }, "wrote clouds.yaml");
  }
  if (config.caCertificates === "") await rm(paths.caFile, { force: true });
  else await writeIfChanged(paths.caFile, config.caCertificates, 0o644);
  const ticks = await ticksHere(run.context, paths, config.timing);
  if (ticks === null) await rm(paths.scheduleFile, { force: true });
  else await writeIfChanged(paths.scheduleFile, formatTicks(ticks), 0o600);
  if (facts.pins.at !== "") await writeIfChanged(paths.pinsFile, `${formatPins(facts.pins)}\n`, 0o600);
  const jujuExec = await findJujuExec(paths);
  if (jujuExec === null) {
    run.log.warn({}, "neither juju-exec nor juju-run is installed; builds are not scheduled");
    return null;
  }
  const { timing } = config;
  const lockFile = join(paths.runtime, "cron.lock");
  const checksReleases = config.rebuildOnRelease;
  const schedule = { unit, application, modelUuid: model.uuid, timing, jujuExec, lockFile, checksReleases };
  await mkdir(paths.runtime, { recursive: true, mode: 0o700 });
  await mkdir(dirname(paths.cronFile), { recursive: true, mode: 0o755 });
  if (await writeIfChanged(paths.cronFile, cronFile(schedule), 0o644)) {
    const when = timing.kind === "cron" ? timing.expression : `every ${timing.hours} hours`;
    run.log.info({ when }, "wrote the schedule");
  }
  return jujuExec;
}

/** The id of a build that begins now, behind those of all builds that this unit knows of. */
function nextId(builds: readonly Build[], { peers }: Facts): string {
  return newBuildId(
    timeAfter(
      new Date(),
      [...builds, ...peers.builds].map(({ id }) => id),
    ),
  );
}

async function start(
  run: Run<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
  order: Order,
  jujuExec: string | null,
): Promise<string> {
  const { unit } = run.context;
  const units = await applicationUnits(run.tool);
  const others = units.filter((name) => name !== unit);
  const id = order.id ?? nextId(await listBuilds(facts.paths.builds), facts);
  const request = requestOf(facts, run.context, { ...order, id }, jujuExec, others, new Date());
  const { scriptSecrets, notifyUrl } = facts;
  const secrets =
    scriptSecrets === null && notifyUrl === null ? null : { script: scriptSecrets ?? {}, notifyUrl };
  await stopWaiting(facts.paths.builds, request.id);
  const program = await builderProgram(environment, facts.paths, run.context.proxies);
  await startBuild(request, secrets, facts.paths, program);
  run.log.info({ build: request.id, kind: order.kind, reason: order.reason }, "started a build");
  await tellOthers(run.context, facts, await listBuilds(facts.paths.builds));
  return request.id;
}
