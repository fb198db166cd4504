/** What a copy may be made from. */
import type { Build } from "../build/history.ts";
import { specName, type Artifact, type ImageSpec, type Source } from "../build/types.ts";
import { BUILD_CLOUD } from "./facts.ts";

/** The copies in `artifacts` of any of `specs`, the newest revision of each image first. */
export function sourcesIn(artifacts: Iterable<Artifact>, specs: readonly ImageSpec[]): readonly Source[] {
  const names = new Set(specs.map(specName));
  return [...artifacts]
    .filter(({ spec }) => names.has(specName(spec)))
    .toSorted((a, b) => (a.buildId > b.buildId ? -1 : 1))
    .map(({ spec, cloud, imageId, buildId }) => ({ spec, cloud, imageId, buildId }));
}

/** What the interrupted build `build` left to go on from: its verified copies, and behind them its snapshots. */
export function sourcesLeftBy(build: Build): readonly Source[] {
  const snapshots = build.snapshots.flatMap(({ image, id }) => {
    const spec = build.request.images.find((one) => specName(one) === image);
    return spec === undefined ? [] : [{ spec, cloud: BUILD_CLOUD, imageId: id, buildId: build.id }];
  });
  return [...sourcesIn(build.artifacts, build.request.images), ...snapshots];
}
