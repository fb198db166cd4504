/** What is known of all builds, whichever unit made them. */
import { newestOf, type Build } from "../build/history.ts";
import { LIMITS } from "../build/limits.ts";
import type { Artifact } from "../build/types.ts";
import { isForgotten, type Forgotten } from "./forgotten.ts";
import { minutes } from "../base/deadline.ts";
import { isUnderWay, type History, type PastBuild } from "./due.ts";
import { asPastBuild, type Peers, type ToldBuild } from "./peers.ts";

/** So long a build of another unit may be under way without a word from it. */
const SILENCE_MS = LIMITS.build + LIMITS.unwind + minutes(60);

/** The builds of this unit (oldest first) and what the others tell of theirs. */
export function historyOf(
  builds: readonly Build[],
  told: Pick<Peers, "builds" | "artifacts">,
  forgotten: Forgotten,
  now: Date,
): History {
  const others = told.builds.map((build) => asPastBuild(build, now, SILENCE_MS));
  return {
    builds: [...builds, ...others]
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((build) => ({ ...build, targets: remaining(build, forgotten) })),
    artifacts: artifactsOf(builds, told.artifacts, forgotten),
  };
}

/** The newest artifact per cloud and image, by `<cloud>/<base>-<arch>`, whoever made it. */
export function artifactsOf(
  builds: readonly Build[],
  told: readonly Artifact[],
  forgotten: Forgotten,
): ReadonlyMap<string, Artifact> {
  const artifacts = [...told, ...builds.flatMap((build) => build.artifacts)];
  return newestOf(artifacts.filter((artifact) => !isForgotten(forgotten, artifact)));
}

function remaining({ targets, request }: PastBuild, forgotten: Forgotten): PastBuild["targets"] {
  const { createdAt } = request;
  return targets?.filter((cloud) => !isForgotten(forgotten, { cloud, createdAt })) ?? null;
}

/** The build that another unit is at, as far as is known; null when none is. */
export function otherUnderWay(told: readonly ToldBuild[], now: Date): ToldBuild | null {
  return told.findLast((build) => isUnderWay(asPastBuild(build, now, SILENCE_MS))) ?? null;
}
