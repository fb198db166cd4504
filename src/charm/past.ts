/** What is known of all builds, whichever unit made them. */
import { newestOf, type Build } from "../build/history.ts";
import { LIMITS } from "../base/limits.ts";
import { pinned, type Pins } from "../build/pins.ts";
import { specName, type Artifact } from "../build/types.ts";
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
  pins: Pins,
  now: Date,
): History {
  const others = told.builds.map((build) => asPastBuild(build, now, SILENCE_MS));
  const ours = builds
    // what waits has not begun, and is no part of the past
    .filter(({ state }) => state !== "waiting")
    .map((build) => ({ ...build, isResumable: build.artifacts.length + build.snapshots.length > 0 }));
  return {
    builds: [...ours, ...others]
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((build) => ({ ...build, targets: remaining(build, forgotten) })),
    artifacts: artifactsOf(builds, told.artifacts, forgotten, pins),
    pinnedAt: pins.at,
    pinned: pins.pins.map(({ spec }) => specName(spec)),
  };
}

/** What may be published per cloud and image, by `<cloud>/<base>-<arch>`, whoever made it: the newest, or what is pinned. */
export function artifactsOf(
  builds: readonly Build[],
  told: readonly Artifact[],
  forgotten: Forgotten,
  pins: Pins,
): ReadonlyMap<string, Artifact> {
  const artifacts = pinned([...told, ...builds.flatMap((build) => build.artifacts)], pins);
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
