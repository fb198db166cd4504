/** The unit's status, from facts and history: what an operator needs to know first. */
import { join } from "node:path";
import { currentSteps, type Build, type StepView } from "../build/history.ts";
import { BUILD_LOG_FILE } from "../build/start-build.ts";
import { machineClock } from "../build/cron-times.ts";
import { minuteOf, nextTick, type Ticks } from "../build/ticks.ts";
import { UPLOAD } from "../build/step.ts";
import { specName, type Artifact, type ImageSpec } from "../build/types.ts";
import { active, blocked, LONGEST_MESSAGE, maintenance, waiting, type Status } from "../juju/index.ts";
import { isUnderWay } from "./due.ts";
import { otherUnderWay } from "./past.ts";
import type { Facts } from "./facts.ts";
import { publishedImages, tagsOf, type Requirer } from "./image-relation.ts";
import type { Peers, ToldBuild } from "./peers.ts";

/** The part of {@link Facts} that the status is told by. */
export interface StatusFacts extends Pick<Facts, "specs" | "targets"> {
  readonly requirers: readonly Pick<Requirer, "application" | "cloud" | "problem" | "published">[];
  /** Null on the leader; elsewhere the unit that builds, empty when it is not known. */
  readonly standbyFor: string | null;
  /** The last builds of other units. */
  readonly told: readonly ToldBuild[];
  /** Images that other units told of. */
  readonly artifacts: readonly Artifact[];
}

/** What the status of a moment is told by. */
export interface StatusInput extends StatusFacts {
  /** Oldest first. */
  readonly builds: readonly Build[];
  /** Null where nothing can fire the schedule. */
  readonly ticks: Ticks | null;
}

/** {@link statusesOf} at `now`, by the machine's clock. */
export function statusesAt(now: Date, input: StatusInput, application: string): readonly Status[] {
  const next = input.ticks === null ? null : nextTick(input.ticks, now, machineClock);
  return statusesOf(input, input.builds, application, next, now);
}

/** What the peers have to do with the status. */
export function standingOf(peers: Peers): Pick<StatusFacts, "standbyFor" | "told" | "artifacts"> {
  const { isLeader, leader, builds, artifacts } = peers;
  return { standbyFor: isLeader ? null : (leader ?? ""), told: builds, artifacts };
}

/**
 * All statuses that hold; the worst is shown. `next` is when the schedule fires again, null without one; `now` is
 * what images are old by.
 */
export function statusesOf(
  facts: StatusFacts,
  builds: readonly Build[],
  application: string,
  next: Date | null,
  now: Date,
): readonly Status[] {
  const { requirers, targets } = facts;
  const statuses: Status[] = [];
  const running = builds.find(isUnderWay);
  if (running !== undefined) statuses.push(maintenance(progressOf(running)));
  if (facts.standbyFor === null && running === undefined) statuses.push(...lastBuild(builds, facts.told));
  for (const { problem } of requirers) if (problem !== null) statuses.push(blocked(problem));
  if (requirers.length === 0) {
    statuses.push(blocked(`relation image is missing: run juju integrate ${application} <runner charm>`));
  } else if (targets.length === 0) {
    const names = requirers.map(({ application: name }) => name || "the related charm").join(", ");
    statuses.push(waiting(`for OpenStack credentials from ${names}`));
  } else {
    statuses.push(published(facts, builds, next, now));
  }
  return statuses;
}

/** What the newest build leaves to be said, whichever unit ran it. */
function lastBuild(builds: readonly Build[], told: readonly ToldBuild[]): readonly Status[] {
  const elsewhere = otherUnderWay(told, new Date());
  if (elsewhere !== null) return [maintenance(`build ${elsewhere.id} runs on ${elsewhere.unit}`)];
  const ours = builds.findLast(({ state }) => state !== "waiting");
  const theirs = told.at(-1);
  if (theirs !== undefined && (ours === undefined || ours.id < theirs.id)) return afterTold(theirs);
  return ours === undefined ? [] : afterBuild(ours);
}

function afterTold({ id, unit, state, error }: ToldBuild): readonly Status[] {
  if (state === "failed") return [blocked(`build failed on ${unit}: ${error ?? "no reason was told"}`)];
  if (state === "done") return [];
  return [blocked(`build ${id} on ${unit} was cut short; run the action run to build again`)];
}

function afterBuild(build: Build): readonly Status[] {
  const log = join(build.folder, BUILD_LOG_FILE);
  switch (build.state) {
    case "failed": {
      const advice = build.advice === null ? "" : `; ${build.advice}`;
      const what = build.request.kind === "adopt" ? "adoption of images" : "build";
      const [before, after] = [`${what} failed: `, `${advice}; see ${log}`];
      // of a long error the end goes, never the path behind it
      const room = LONGEST_MESSAGE - before.length - after.length;
      const error = build.errors.join("; ");
      const text = error.length > room ? `${error.slice(0, Math.max(room - 1, 0))}…` : error;
      return [blocked(`${before}${text}${after}`)];
    }
    case "interrupted":
      return [blocked(`build ${build.id} was interrupted; run the action run to build again; see ${log}`)];
    case "cancelled":
      return [blocked(`build ${build.id} was cancelled; run the action run to build again`)];
    case "waiting":
    case "queued":
    case "running":
    case "done":
      return [];
  }
}

const VERBS = { build: "building", copy: "copying", initialise: "preparing", adopt: "adopting" } as const;

/** `building noble-x64: upload the image 62 %`, with all images that are being worked on. */
function progressOf(build: Build): string {
  const verb = VERBS[build.request.kind];
  const steps = currentSteps(build);
  // its steps are seconds, and none is of one image
  if (steps.length === 0 || build.request.kind === "adopt")
    return `${verb} ${build.request.images.map(({ base, arch }) => `${base}-${arch}`).join(", ")}`;
  return `${verb} ${steps.map((step) => stepText(step, build)).join("; ")}`;
}

function stepText({ image, step, progress }: StepView, build: Build): string {
  const percent =
    progress === null || progress.total === 0
      ? ""
      : ` ${Math.floor((100 * progress.done) / progress.total)} %`;
  const targets = build.targetsByImage[image] ?? [];
  const isUpload = step === UPLOAD && targets.length > 0;
  const done = build.artifacts.filter(({ spec }) => specName(spec) === image).length;
  const what = isUpload ? `uploading ${done}/${targets.length} clouds` : step;
  return `${image === "" ? "" : `${image}: `}${what}${percent}`;
}

function published(
  { requirers, specs, standbyFor, artifacts }: StatusFacts,
  builds: readonly Build[],
  next: Date | null,
  now: Date,
): Status {
  const [first] = specs;
  const related = requirers.filter(({ cloud }) => cloud !== null);
  const served = related.filter(
    ({ published: bag }) => first !== undefined && publishedImages(bag).has(tagsOf(first)),
  );
  const schedule = standbyFor === null ? scheduleText(next) : standbyText(standbyFor);
  if (served.length < related.length) {
    return waiting(`for a build: ${served.length} of ${related.length} relations have an image${schedule}`);
  }
  const known = [...artifacts, ...builds.flatMap((build) => build.artifacts)];
  const ageBySpec = new Map<string, string | null>(
    specs.map((spec) => [specName(spec), ageOf(spec, served, known, now)]),
  );
  // images of equal age are told together, in the order of the specs
  const namesByAge = new Map<string, string[]>();
  const missing: string[] = [];
  for (const [name, age] of ageBySpec) {
    if (age === null) missing.push(name);
    else namesByAge.set(age, [...(namesByAge.get(age) ?? []), name]);
  }
  const images = [...namesByAge].map(([age, names]) => `${names.join(", ")}${age}`).join(", ");
  const isDated = [...namesByAge.keys()].some((age) => age !== "");
  const where = `${isDated ? "," : ""} published to ${served.length} of ${requirers.length} relations`;
  const rest = missing.length === 0 ? "" : `, ${missing.join(", ")} not in all yet`;
  return active(`${images}${where}${rest}${schedule}`);
}

function scheduleText(next: Date | null): string {
  return next === null ? "" : `, next build ${minuteOf(next)}`;
}

function standbyText(leader: string): string {
  return leader === "" ? ", standby" : `, standby for ${leader}`;
}

/**
 * ` of 2026-11-23 20:31 UTC (3 h old)`, of the oldest copy of `spec` that `served` have. Empty when nobody knows one of
 * them, which another revision of the charm has published; null when some relation has none.
 */
function ageOf(
  spec: ImageSpec,
  served: readonly StatusFacts["requirers"][number][],
  artifacts: readonly Artifact[],
  now: Date,
): string | null {
  const times: number[] = [];
  for (const { cloud, published: bag } of served) {
    const id = publishedImages(bag).get(tagsOf(spec));
    if (id === undefined) return null;
    const artifact = artifacts.find((one) => one.cloud === cloud && one.imageId === id);
    times.push(Date.parse(artifact?.createdAt ?? ""));
  }
  const oldest = Math.min(...times);
  if (!Number.isFinite(oldest)) return "";
  return ` of ${minuteOf(new Date(oldest))} (${coarse(now.getTime() - oldest)} old)`;
}

/** Hours, from two days on days: a finer age would be a new status every few minutes. */
function coarse(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  if (hours < 1) return "less than 1 h";
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
