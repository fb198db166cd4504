/** Builds as their readers see them, derived from request and journal. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, readOptional } from "../base/files.ts";
import { readJournal, type JournalEvent } from "./journal.ts";
import { isRunning } from "./process-id.ts";
import { parseOrder, type Order } from "./request.ts";
import { specName, type Artifact } from "./types.ts";

/** Name of the request in a build's folder. */
export const REQUEST_FILE = "request.json";
/** Name of the file with the builder's process identity, written by whoever starts it. */
export const PID_FILE = "pid";
/** Name of an empty file that a build's folder has as long as the build waits for another one's end. */
export const WAITING_FILE = "waiting";
/** A request this old whose builder was never started was cut short in the starting. */
const START_LIMIT_MS = 60_000;

/**
 * `waiting`: for another build's end. `queued`: written, no process yet. `running`: its process lives. `interrupted`: the process is gone without
 * having said how it ended (SIGKILL, power loss), or the machine went down and it deleted what it had made.
 */
export type BuildState = "waiting" | "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";

/** A snapshot that a build began to take; whether it is whole, the cloud knows. */
export interface MadeSnapshot {
  /** Name of its image, such as `noble-x64`. */
  readonly image: string;
  readonly id: string;
}

/** A step of one image (or of the build as a whole, `image` empty). */
export interface StepView {
  readonly image: string;
  readonly step: string;
  readonly startedAt: string;
  /** Null while the step runs. */
  readonly ms: number | null;
  readonly error: string | null;
  /** Bytes done and in all, for transfers. */
  readonly progress: { readonly done: number; readonly total: number } | null;
}

/** Everything known of one build. */
export interface Build {
  readonly id: string;
  readonly folder: string;
  readonly request: Order;
  readonly state: BuildState;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly steps: readonly StepView[];
  readonly artifacts: readonly Artifact[];
  readonly snapshots: readonly MadeSnapshot[];
  /** Clouds that the build uploads to; null until it has begun to upload. */
  readonly targets: readonly string[] | null;
  /** Of each image, by its name, the clouds that it is uploaded to; none before its upload. */
  readonly targetsByImage: Readonly<Record<string, readonly string[]>>;
  /** Ids of the images that the charm has published. */
  readonly published: readonly string[];
  /** Sentence per failed image, and of the build itself. */
  readonly errors: readonly string[];
  /** The next thing to try after the first failure. */
  readonly advice: string | null;
}

/** All builds below `buildsFolder`, oldest first. A folder in which `read` finds no build is skipped. */
export async function listBuilds(
  buildsFolder: string,
  read: (folder: string) => Promise<Build | null> = readBuild,
): Promise<Build[]> {
  let names: string[];
  try {
    // a person may have put a file there
    const entries = await readdir(buildsFolder, { withFileTypes: true });
    names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const builds = await Promise.all(names.toSorted().map((name) => read(join(buildsFolder, name))));
  return builds.filter((build) => build !== null);
}

/** The build in `folder`, or null when there is no readable request in it. */
export async function readBuild(folder: string): Promise<Build | null> {
  const json = await readOptional(join(folder, REQUEST_FILE));
  if (json === undefined) return null;
  const request = parseOrder(json);
  if (request === null) return null;
  const [events, pid, waiting] = await Promise.all([
    readJournal(folder),
    readOptional(join(folder, PID_FILE)),
    readOptional(join(folder, WAITING_FILE)),
  ]);
  return {
    id: request.id,
    folder,
    request,
    ...summarise(request, events),
    state: await stateOf(events, pid, request.createdAt, waiting !== undefined),
  };
}

async function stateOf(
  events: readonly JournalEvent[],
  pid: string | undefined,
  createdAt: string,
  isWaiting: boolean,
): Promise<BuildState> {
  const ended = events.findLast((event) => event.event === "ended");
  if (ended !== undefined) return ended.outcome;
  if (isWaiting) return "waiting";
  const started = events.findLast((event) => event.event === "started");
  if (started !== undefined) return (await isRunning(started.process)) ? "running" : "interrupted";
  if (pid !== undefined) return (await isRunning(pid.trim())) ? "queued" : "interrupted";
  // far ahead, too: a clock that stepped back must not keep a build that never began in the queue
  return Math.abs(Date.now() - Date.parse(createdAt)) < START_LIMIT_MS ? "queued" : "interrupted";
}

function summarise(
  request: Order,
  events: readonly JournalEvent[],
): Omit<Build, "id" | "folder" | "request" | "state"> {
  const steps: StepView[] = [];
  const artifacts: Artifact[] = [];
  const snapshots: MadeSnapshot[] = [];
  const targets = new Set<string>();
  const targetsByImage = new Map<string, readonly string[]>();
  const published: string[] = [];
  let advice: string | null = null;
  let uploading = false;
  const errors: string[] = [];
  let startedAt: string | null = null;
  let endedAt: string | null = null;
  const update = (event: { image: string; step: string }, change: Partial<StepView>): void => {
    const at = steps.findLastIndex((step) => step.image === event.image && step.step === event.step);
    const step = steps[at];
    if (step !== undefined) steps[at] = { ...step, ...change };
  };
  for (const event of events) {
    switch (event.event) {
      case "started":
        startedAt ??= event.at;
        break;
      case "step-started": {
        const { image, step, at } = event;
        steps.push({ image, step, startedAt: at, ms: null, error: null, progress: null });
        break;
      }
      case "step-ended":
        update(event, { ms: event.ms, error: event.error });
        break;
      case "progress":
        update(event, { progress: { done: event.done, total: event.total } });
        break;
      case "artifact": {
        const { cloud, imageId, sizeBytes, hash, at } = event;
        artifacts.push({
          spec: event.spec,
          cloud,
          imageId,
          sizeBytes,
          hash,
          buildId: event.build ?? request.id,
          createdAt: event.made ?? at,
        });
        break;
      }
      case "targets":
        uploading = true;
        for (const cloud of event.clouds) targets.add(cloud);
        if (event.image !== "") targetsByImage.set(event.image, event.clouds);
        break;
      case "image-failed":
        errors.push(`${event.image}: ${event.error}`);
        advice ??= event.advice ?? null;
        break;
      case "ended":
        endedAt = event.at;
        if (event.error !== null && errors.length === 0) errors.push(event.error);
        advice ??= event.advice ?? null;
        // it had time to delete them
        if (event.outcome === "interrupted") snapshots.length = 0;
        break;
      case "created":
        if (event.kind === "snapshot") snapshots.push({ image: event.image, id: event.id });
        break;
      case "published":
        published.push(...event.ids);
        break;
      case "found":
      case "leftover":
      case "looked":
      case "reaped":
      case "upload-failed":
        break;
    }
  }
  return {
    startedAt,
    endedAt,
    steps,
    artifacts,
    snapshots,
    targets: uploading ? [...targets] : null,
    targetsByImage: Object.fromEntries(targetsByImage),
    published,
    errors,
    advice,
  };
}

/** How many builds are remembered at the least. */
const REMEMBERED = 20;

/**
 * Removes the folders of old builds: all but the newest twenty, those that still run and those whose images
 * are the newest of their cloud. Gives the builds that stay.
 */
export async function forgetOldBuilds(builds: readonly Build[]): Promise<readonly Build[]> {
  const needed = new Set(newestArtifacts(builds).values());
  const old = builds
    .slice(0, -REMEMBERED)
    .filter(
      ({ artifacts, state }) =>
        !artifacts.some((artifact) => needed.has(artifact)) &&
        !["running", "queued", "waiting"].includes(state),
    );
  await Promise.all(old.map(({ folder }) => rm(folder, { recursive: true, force: true })));
  return builds.filter((build) => !old.includes(build));
}

/** The steps that run at this moment, oldest first. */
export function currentSteps(build: Build): readonly StepView[] {
  return build.steps.filter((step) => step.ms === null);
}

/** The newest artifact per cloud and image among `builds` (oldest first), by `<cloud>/<base>-<arch>`. */
export function newestArtifacts(builds: readonly Build[]): ReadonlyMap<string, Artifact> {
  return newestOf(builds.flatMap((build) => build.artifacts));
}

/** {@link newestArtifacts} of artifacts in any order; of one build the last counts. */
export function newestOf(artifacts: readonly Artifact[]): ReadonlyMap<string, Artifact> {
  const newest = new Map<string, Artifact>();
  // a build's id begins with its time
  for (const artifact of artifacts.toSorted((a, b) => compare(a.buildId, b.buildId))) {
    newest.set(`${artifact.cloud}/${specName(artifact.spec)}`, artifact);
  }
  return newest;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
