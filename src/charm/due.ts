/** Whether a build is due: a pure decision over the history of builds. */
import type { Build } from "../build/history.ts";

/** What the images should be made from, and where they should be, as it is now. */
export interface Wanted {
  readonly inputs: string;
  readonly access: string;
  /** Names of the clouds that want copies. */
  readonly clouds: readonly string[];
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
export function dueBuild(builds: readonly Build[], wanted: Wanted): Due | null {
  if (builds.some(isUnderWay)) return null;
  const kind = wanted.clouds.length === 0 ? "initialise" : "build";
  const ofKind = builds.filter(({ request }) => kind === "initialise" || request.kind === "build");
  const last = ofKind.at(-1);
  if (last === undefined) return { kind, reason: kind === "build" ? "relation" : "config" };
  if (last.request.inputs !== wanted.inputs) return { kind, reason: "config" };
  if (last.state === "interrupted") {
    // once: what kills every build must not run for ever
    return ofKind.at(-2)?.state === "interrupted" ? null : { kind, reason: "retry" };
  }
  if (last.state === "failed" && last.request.access !== wanted.access)
    return { kind, reason: "credentials" };
  if (kind === "build") {
    const served = new Set([...(last.targets ?? []), ...builds.flatMap(cloudsWithImages)]);
    const isNew = last.targets !== null && wanted.clouds.some((cloud) => !served.has(cloud));
    if (isNew) return { kind, reason: "relation" };
  }
  return null;
}

/** Whether a build runs or is about to. */
export function isUnderWay(build: Build): boolean {
  return build.state === "running" || build.state === "queued";
}

function cloudsWithImages(build: Build): readonly string[] {
  return build.artifacts.map(({ cloud }) => cloud);
}
