/**
 * What the last full reconcile found, kept in a file: an idle `update-status` tells the status from it and from
 * the journal (docs/decisions/0005-idle-update-status.md).
 */
import { rm } from "node:fs/promises";
import { readOptional, stampOf, writeAtomic } from "../base/files.ts";
import { listBuildsKnowing, readEndedBuilds, type EndedBuild } from "../build/ended-builds.ts";
import type { Build } from "../build/history.ts";
import { pathsOf, type Paths } from "../build/paths.ts";
import type { Pins } from "../build/pins.ts";
import { hidden, isSecret } from "../build/proxies.ts";
import type { Ticks } from "../build/ticks.ts";
import type { JujuContext } from "../juju/index.ts";
import { owedPublication } from "./adoption.ts";
import { standingOf, type StatusInput } from "./collect-status.ts";
import { digestKey, keyedDigest } from "./digest.ts";
import { dueBuild, isUnderWay, type Wanted } from "./due.ts";
import { findJujuExec, proxyOf, type CharmEnvironment } from "./environment.ts";
import type { Facts } from "./facts.ts";
import { historyOf } from "./past.ts";
import { tellBuilds } from "./peers.ts";
import { ticksOf, type Timing } from "./schedule.ts";

/** Raised whenever {@link Settled} changes: the file of another revision of the charm counts as none. */
const FORMAT = 7;

/** So long nothing may stay unasked, whatever the events say. */
const LONGEST_MS = 3_600_000;

/** The file's content: no secret is in it. */
export interface Settled extends Omit<StatusInput, "builds">, Wanted {
  readonly format: typeof FORMAT;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What a dispatch knows without asking and no event tells of. */
  readonly surroundings: string;
  readonly secretUris: readonly string[];
  readonly ended: readonly EndedBuild[];
  /** What the others know of our builds, as text; null where there is nobody to tell. */
  readonly word: string | null;
  readonly forgotten: Readonly<Record<string, string>>;
  readonly pins: Pins;
}

/** Forgets what was found: from here to the next {@link writeSettled} nobody relies on it. */
export async function forgetSettled(paths: Paths): Promise<void> {
  await rm(paths.settledFile, { force: true });
}

/** Keeps `facts` for idle hooks. To be called only when nothing was queued to be written into databags. */
export async function writeSettled(
  context: JujuContext,
  facts: Facts,
  wanted: Wanted,
  builds: readonly Build[],
  environment: CharmEnvironment,
): Promise<void> {
  const { config, paths, specs, targets, peers } = facts;
  const script = config.script?.secret;
  const settled: Settled = {
    format: FORMAT,
    at: Date.now(),
    surroundings: await surroundings(context, paths, environment),
    secretUris: [
      config.cloud.passwordSecret,
      ...(typeof script === "string" ? [script] : []),
      ...(config.notifySecret === "" ? [] : [config.notifySecret]),
    ],
    ended: await readEndedBuilds(paths.builds),
    ticks: await ticksHere(context, paths, config.timing),
    word: peers.others.length === 0 ? null : wordOf(builds, context.unit),
    forgotten: Object.fromEntries(facts.forgotten),
    pins: facts.pins,
    ...standingOf(peers),
    specs,
    targets,
    requirers: facts.requirers.map(({ application, cloud, problem, published }) => ({
      application,
      cloud,
      problem,
      published,
    })),
    ...wanted,
  };
  await writeAtomic(paths.settledFile, `${JSON.stringify(settled)}\n`, 0o600);
}

/**
 * What was found last with the builds of now, when by all that this machine knows a full reconcile would find the same
 * again and have nothing to do; else null.
 */
export async function readSettled(
  context: JujuContext,
  environment: CharmEnvironment,
): Promise<(Settled & StatusInput) | null> {
  const paths = pathsOf(environment.root, context.unit);
  const settled = parse(await readOptional(paths.settledFile));
  if (settled === null) return null;
  const age = Date.now() - settled.at;
  if (age < 0 || age > LONGEST_MS) return null;
  if (settled.surroundings !== (await surroundings(context, paths, environment))) return null;
  const builds = await listBuildsKnowing(settled.ended, paths.builds);
  if (settled.word !== null && settled.word !== wordOf(builds, context.unit)) return null;
  if (settled.standbyFor === null && hasWork(settled, builds)) return null;
  return { ...settled, builds };
}

/** When the schedule fires; null where nothing can fire it. */
export async function ticksHere(
  { application, model }: JujuContext,
  paths: Paths,
  timing: Timing,
): Promise<Ticks | null> {
  if ((await findJujuExec(paths)) === null) return null;
  return ticksOf({ application, modelUuid: model.uuid }, timing, -new Date().getTimezoneOffset());
}

function parse(text: string | undefined): Settled | null {
  if (text === undefined) return null;
  try {
    const value = JSON.parse(text) as Settled;
    return value.format === FORMAT ? value : null;
  } catch {
    // a hand or a broken disk: everything is asked again
    return null;
  }
}

function wordOf(builds: readonly Build[], unit: string): string {
  return JSON.stringify(tellBuilds(builds, unit));
}

/** Whether the leader has something to build or to publish. */
function hasWork(settled: Settled, builds: readonly Build[]): boolean {
  const { told, requirers, specs } = settled;
  const forgotten = new Map(Object.entries(settled.forgotten));
  const now = new Date();
  const history = historyOf(
    builds,
    { builds: told, artifacts: settled.artifacts },
    forgotten,
    settled.pins,
    now,
  );
  if (dueBuild(history, settled) !== null) return true;
  if (builds.some(({ state }) => state === "waiting") && !history.builds.some(isUnderWay)) return true;
  const { artifacts, pinnedAt } = history;
  const by = { builds, told: settled.artifacts, pinnedAt };
  return requirers.some(
    ({ cloud, published }) =>
      cloud !== null && owedPublication({ specs, artifacts }, cloud, published, by) !== null,
  );
}

/** Our own files, which somebody may have touched, and what comes with the process instead of an event. */
async function surroundings(
  context: JujuContext,
  paths: Paths,
  environment: CharmEnvironment,
): Promise<string> {
  const proxy = proxyOf(context.proxies);
  // the builder stands for the charm's revision
  const files = [
    ...environment.builder.slice(-1),
    paths.cloudsFile,
    paths.cronFile,
    paths.publishedFile,
    paths.pinsFile,
  ];
  return JSON.stringify([
    hidden(proxy),
    isSecret(proxy) ? keyedDigest(await digestKey(paths.digestKeyFile), proxy) : null,
    context.version.text,
    context.model.uuid,
    await findJujuExec(paths),
    ...(await Promise.all(files.map(stampOf))),
  ]);
}
