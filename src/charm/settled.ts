/**
 * What the last full reconcile found, kept in a file: an idle `update-status` tells the status from it and from
 * the journal, and asks Juju only for what changes without an event (docs/decisions/0005-idle-update-status.md).
 */
import { createHash } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { ConfigError } from "../base/errors.ts";
import { isMissing, readOptional, writeAtomic } from "../base/files.ts";
import { listBuilds, newestArtifacts, type Build } from "../build/history.ts";
import { pathsOf, type Paths } from "../build/paths.ts";
import { worst, type JujuContext, type Run, type Unit } from "../juju/index.ts";
import { statusesOf, type StatusFacts } from "./collect-status.ts";
import type { BuilderConfig } from "./config.ts";
import { dueBuild, type Wanted } from "./due.ts";
import { findJujuExec, type CharmEnvironment } from "./environment.ts";
import { BUILD_CLOUD, type Facts } from "./facts.ts";
import { changedPublication } from "./image-relation.ts";
import { nextRun } from "./schedule.ts";
import { readPassword, readScriptSecrets } from "./secrets.ts";

/** Raised whenever {@link Settled} changes: the file of another revision of the charm counts as none. */
const FORMAT = 1;

/** So long nothing may stay unasked, whatever the events say. */
const LONGEST_MS = 3_600_000;

/** The file's content: no secret is in it. */
export interface Settled extends StatusFacts, Wanted {
  readonly format: typeof FORMAT;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Digest of what a dispatch knows without asking and no event tells of. */
  readonly surroundings: string;
  readonly secretUris: { readonly password: string; readonly script: string | null };
  /** Digest of the content behind `secretUris`. */
  readonly secrets: string;
  readonly intervalHours: number;
}

/** Forgets what was found: from here to the next {@link writeSettled} nobody relies on it. */
export async function forgetSettled(paths: Paths): Promise<void> {
  await rm(paths.settledFile, { force: true });
}

/** Keeps `facts` for idle hooks. To be called only when nothing was queued to be written into databags. */
export async function writeSettled(context: JujuContext, facts: Facts, wanted: Wanted): Promise<void> {
  const { config, paths, specs, targets, scriptSecrets } = facts;
  const script = typeof config.script?.secret === "string" ? config.script.secret : null;
  const password = facts.clouds.get(BUILD_CLOUD)?.password ?? "";
  const settled: Settled = {
    format: FORMAT,
    at: Date.now(),
    surroundings: await surroundings(context, paths),
    secretUris: { password: config.cloud.passwordSecret, script },
    secrets: digest([password, script === null ? null : scriptSecrets]),
    intervalHours: config.intervalHours,
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
 * What was found last, when a full reconcile would find the same again and have nothing to do; else null. Asks
 * Juju for secrets alone: taking a grant back fires no hook.
 */
export async function readSettled(
  run: Run<BuilderConfig>,
  environment: CharmEnvironment,
): Promise<(Settled & { readonly builds: readonly Build[] }) | null> {
  const { context, unit } = run;
  const paths = pathsOf(environment.root, context.unit);
  const settled = parse(await readOptional(paths.settledFile));
  if (settled === null) return null;
  const age = Date.now() - settled.at;
  if (age < 0 || age > LONGEST_MS) return null;
  const [secrets, found, builds] = await Promise.all([
    // first, so that the rest is done while Juju answers
    secretsDigest(unit, settled.secretUris),
    surroundings(context, paths),
    listBuilds(paths.builds),
  ]);
  if (secrets !== settled.secrets || found !== settled.surroundings) return null;
  if (dueBuild(builds, settled) !== null || isUnpublished(settled, builds)) return null;
  // what an operator has to act on may be put right without an event, by granting a secret for one
  const status = worst(statusesOf(settled, builds, unit.application, null));
  const isFine = status?.name === "active" || status?.name === "maintenance";
  return isFine ? { ...settled, builds } : null;
}

/** When the schedule fires next, as {@link statusesOf} wants it; null where nothing can fire it. */
export async function nextBuild(
  { unit, model }: JujuContext,
  paths: Paths,
  intervalHours: number,
): Promise<Date | null> {
  if ((await findJujuExec(paths)) === null) return null;
  return nextRun({ unit, modelUuid: model.uuid, intervalHours }, new Date());
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

function isUnpublished({ specs, requirers }: Settled, builds: readonly Build[]): boolean {
  const artifacts = newestArtifacts(builds);
  return requirers.some(
    ({ cloud, published }) =>
      cloud !== null && changedPublication(specs, cloud, artifacts, published) !== null,
  );
}

async function secretsDigest(unit: Unit, uris: Settled["secretUris"]): Promise<string | null> {
  try {
    const script = uris.script === null ? null : { url: "", secret: uris.script };
    return digest(await Promise.all([readPassword(unit, uris.password), readScriptSecrets(unit, script)]));
  } catch (error) {
    // the full reconcile says what is wrong
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

/** Our own files, which somebody may have touched, and what comes with the process instead of an event. */
async function surroundings(context: JujuContext, paths: Paths): Promise<string> {
  const files = [paths.cloudsFile, paths.cronFile, paths.publishedFile];
  return digest([
    context.proxies,
    context.version.text,
    context.model.uuid,
    await findJujuExec(paths),
    ...(await Promise.all(files.map(stamp))),
  ]);
}

async function stamp(path: string): Promise<string | null> {
  try {
    const { ino, size, mtimeMs, mode } = await stat(path);
    return [ino, size, mtimeMs, mode].join(" ");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}
