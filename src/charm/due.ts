/** Whether a build is due: a pure decision over the history of builds. */
import type { Build, BuildState } from "../build/history.ts";
import { specName, type Artifact } from "../build/types.ts";

/** What the images should be made from, and where they should be, as it is now. */
export interface Wanted {
  readonly inputs: string;
  readonly access: string;
  readonly secretsDigest: string;
  /** Names of the clouds that want copies. */
  readonly clouds: readonly string[];
  /** Whether an image stands in a databag of some cloud. */
  readonly isPublished: boolean;
}

/** The part of a build that a decision needs; null for a digest that its unit tells nobody. */
export interface PastBuild extends Pick<Build, "id" | "state" | "targets"> {
  /** It left something whole that another build can go on from. */
  readonly isResumable: boolean;
  readonly request: Pick<Build["request"], "kind" | "inputs" | "createdAt"> & {
    readonly access: string | null;
    readonly secretsDigest: string | null;
  };
}

/** All builds there were, oldest first, and what may be published. */
export interface History {
  readonly builds: readonly PastBuild[];
  /** By `<cloud>/<base>-<arch>`: the newest artifact, of a pinned image the one of its revision. */
  readonly artifacts: ReadonlyMap<string, Artifact>;
  /** When pins were changed last, empty when never, and the names of the pinned images. */
  readonly pinnedAt: string;
  readonly pinned: readonly string[];
}

/** What to start, and why. */
export type Due =
  | {
      readonly kind: "build" | "initialise";
      readonly reason: "config" | "relation" | "credentials" | "retry";
    }
  /** Looks for what is published although no build is known, as after a switch from the Python charm. */
  | { readonly kind: "adopt"; readonly reason: "switch" | "retry" | "credentials" }
  /** Brings what exists to `clouds`; null: goes on with the interrupted build `resumes`. */
  | { readonly kind: "copy"; readonly reason: "relation" | "pin"; readonly clouds: readonly string[] }
  | { readonly kind: "copy"; readonly reason: "retry"; readonly clouds: null; readonly resumes: string };

/**
 * The build to start now, or null. While one runs or waits to run nothing is due: its end wakes the charm,
 * which asks again. A build that failed is left to the schedule unless something changed since. A cloud that lacks an
 * image which another one has gets a copy, not a build.
 */
export function dueBuild(history: History, wanted: Wanted): Due | null {
  const { builds } = history;
  if (builds.some(isUnderWay)) return null;
  const kind = wanted.clouds.length === 0 ? "initialise" : "build";
  const ofKind = builds.filter(({ request }) => kind === "initialise" || request.kind !== "initialise");
  const last = ofKind.at(-1);
  const lastBuild = ofKind.findLast(({ request }) => request.kind !== "copy") ?? last;
  if (last === undefined || lastBuild === undefined) {
    if (wanted.isPublished) return { kind: "adopt", reason: "switch" };
    return { kind, reason: kind === "build" ? "relation" : "config" };
  }
  const { inputs, secretsDigest } = lastBuild.request;
  if (inputs !== wanted.inputs || (secretsDigest ?? wanted.secretsDigest) !== wanted.secretsDigest) {
    return { kind, reason: "config" };
  }
  if (last.state === "interrupted") {
    // once: what kills every build must not run for ever
    if (ofKind.at(-2)?.state === "interrupted") return null;
    if (last.request.kind === "adopt") return { kind: "adopt", reason: "retry" };
    if (last.isResumable) return { kind: "copy", reason: "retry", clouds: null, resumes: last.id };
    return { kind, reason: "retry" };
  }
  const lacking = kind === "build" ? dueCopy(history, ofKind, wanted) : null;
  if (lacking !== null) return lacking;
  const failed = [last, lastBuild].find(({ state }) => state === "failed");
  if (failed !== undefined && (failed.request.access ?? wanted.access) !== wanted.access) {
    return { kind: failed.request.kind === "adopt" ? "adopt" : kind, reason: "credentials" };
  }
  if (kind === "build") {
    const isNew = lastBuild.targets !== null && missingIn(history, ofKind, wanted).length > 0;
    if (isNew) return { kind, reason: "relation" };
  }
  return null;
}

/** Clouds that have no image at all and that no build or copy since the newest build has tried to reach. */
function missingIn({ artifacts }: History, ofKind: readonly PastBuild[], wanted: Wanted): readonly string[] {
  const since = ofKind.findLastIndex(({ request }) => request.kind !== "copy");
  const tried = ofKind.slice(Math.max(since, 0)).flatMap(({ targets }) => targets ?? []);
  const served = new Set([...tried, ...artifacts.values().map(({ cloud }) => cloud)]);
  return wanted.clouds.filter((cloud) => !served.has(cloud));
}

function dueCopy(history: History, ofKind: readonly PastBuild[], wanted: Wanted): Due | null {
  const { artifacts, pinned, pinnedAt } = history;
  if (artifacts.size === 0) return null;
  const missing = missingIn(history, ofKind, wanted);
  if (missing.length > 0) return { kind: "copy", reason: "relation", clouds: missing };
  const tried = new Set(
    ofKind
      .filter(({ request }) => request.kind === "copy" && request.createdAt > pinnedAt)
      .flatMap(({ targets }) => targets ?? []),
  );
  const found = [...artifacts.values()];
  const lacking = wanted.clouds.filter(
    (cloud) =>
      !tried.has(cloud) &&
      pinned.some(
        (image) => !artifacts.has(`${cloud}/${image}`) && found.some(({ spec }) => specName(spec) === image),
      ),
  );
  return lacking.length === 0 ? null : { kind: "copy", reason: "pin", clouds: lacking };
}

/** Whether a build runs or is about to. */
export function isUnderWay({ state }: { readonly state: BuildState }): boolean {
  return state === "running" || state === "queued";
}
