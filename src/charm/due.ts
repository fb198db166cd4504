/** Whether a build is due: a pure decision over the history of builds. */
import type { Build, BuildState } from "../build/history.ts";
import type { Artifact } from "../build/types.ts";

/** What the images should be made from, and where they should be, as it is now. */
export interface Wanted {
  readonly inputs: string;
  readonly access: string;
  readonly secretsDigest: string;
  /** Names of the clouds that want copies. */
  readonly clouds: readonly string[];
}

/** The part of a build that a decision needs; null for a digest that its unit tells nobody. */
export interface PastBuild extends Pick<Build, "id" | "state" | "targets"> {
  readonly request: Pick<Build["request"], "kind" | "inputs" | "createdAt"> & {
    readonly access: string | null;
    readonly secretsDigest: string | null;
  };
}

/** All builds there were, oldest first, and the newest artifact of each image in each cloud. */
export interface History {
  readonly builds: readonly PastBuild[];
  readonly artifacts: ReadonlyMap<string, Artifact>;
}

/** What to start, and why. */
export interface Due {
  readonly kind: "build" | "initialise";
  readonly reason: "config" | "relation" | "credentials" | "retry";
}

/**
 * The build to start now, or null. While one runs or waits to run nothing is due: its end wakes the charm,
 * which asks again. A build that failed is left to the schedule unless something changed since.
 */
export function dueBuild({ builds, artifacts }: History, wanted: Wanted): Due | null {
  if (builds.some(isUnderWay)) return null;
  const kind = wanted.clouds.length === 0 ? "initialise" : "build";
  const ofKind = builds.filter(({ request }) => kind === "initialise" || request.kind === "build");
  const last = ofKind.at(-1);
  if (last === undefined) return { kind, reason: kind === "build" ? "relation" : "config" };
  const { inputs, access, secretsDigest } = last.request;
  if (inputs !== wanted.inputs || (secretsDigest ?? wanted.secretsDigest) !== wanted.secretsDigest) {
    return { kind, reason: "config" };
  }
  if (last.state === "interrupted") {
    // once: what kills every build must not run for ever
    return ofKind.at(-2)?.state === "interrupted" ? null : { kind, reason: "retry" };
  }
  if (last.state === "failed" && (access ?? wanted.access) !== wanted.access) {
    return { kind, reason: "credentials" };
  }
  if (kind === "build") {
    const served = new Set([...(last.targets ?? []), ...artifacts.values().map(({ cloud }) => cloud)]);
    const isNew = last.targets !== null && wanted.clouds.some((cloud) => !served.has(cloud));
    if (isNew) return { kind, reason: "relation" };
  }
  return null;
}

/** Whether a build runs or is about to. */
export function isUnderWay({ state }: { readonly state: BuildState }): boolean {
  return state === "running" || state === "queued";
}
