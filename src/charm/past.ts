/** What is known of all builds, whichever unit made them. */
import { newestOf, type Build } from "../build/history.ts";
import { LIMITS } from "../build/limits.ts";
import type { Artifact } from "../build/types.ts";
import { minutes } from "../base/deadline.ts";
import { isUnderWay, type History } from "./due.ts";
import { asPastBuild, type Peers, type ToldBuild } from "./peers.ts";

/** So long a build of another unit may be under way without a word from it. */
const SILENCE_MS = LIMITS.build + LIMITS.unwind + minutes(60);

/** The builds of this unit (oldest first) and what the others tell of theirs. */
export function historyOf(
  builds: readonly Build[],
  told: Pick<Peers, "builds" | "artifacts">,
  now: Date,
): History {
  const others = told.builds.map((build) => asPastBuild(build, now, SILENCE_MS));
  return {
    builds: [...builds, ...others].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    artifacts: artifactsOf(builds, told.artifacts),
  };
}

/** The newest artifact per cloud and image, by `<cloud>/<base>-<arch>`, whoever made it. */
export function artifactsOf(
  builds: readonly Build[],
  told: readonly Artifact[],
): ReadonlyMap<string, Artifact> {
  return newestOf([...told, ...builds.flatMap(({ artifacts }) => artifacts)]);
}

/** The build that another unit is at, as far as is known; null when none is. */
export function otherUnderWay(told: readonly ToldBuild[], now: Date): ToldBuild | null {
  return told.findLast((build) => isUnderWay(asPastBuild(build, now, SILENCE_MS))) ?? null;
}
