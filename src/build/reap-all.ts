/** The start of a build in the clouds: what dead builds left there goes. */
import { describe } from "../base/errors.ts";
import { limitsWith } from "../base/limits.ts";
import type { CallOptions, Cloud } from "../openstack/index.ts";
import type { Tidy } from "./publish-and-prune.ts";
import { findPythonLeftovers } from "./python-charm/leftovers.ts";
import { findOrphans, reap, type Orphan } from "./reap.ts";
import type { RunDeps } from "./run-build.ts";
import { step, type StepContext } from "./step.ts";
import type { BuildRequest } from "./types.ts";

/** Reaps in each of `places`; what cannot be deleted is journalled. True when nothing is left that could be looked for. */
export async function reapAll(
  request: BuildRequest,
  places: readonly Cloud[],
  { context, tidy }: { readonly context: StepContext; readonly tidy: Tidy },
  deps: RunDeps,
): Promise<boolean> {
  let isClean = true;
  await step(context, "reap what dead builds left", limitsWith(request.limits).reap, async (limit) => {
    for (const place of places) {
      let isDone = false;
      await tidy(`whatever dead builds left in ${place.name}`, limit, async () => {
        isDone = (await reapIn(request, place, deps, { signal: limit })) === 0;
      });
      isClean &&= isDone;
    }
  });
  return isClean;
}

/** Gives the number of things that stay. */
async function reapIn(
  request: BuildRequest,
  place: Cloud,
  deps: RunDeps,
  call: CallOptions,
): Promise<number> {
  const images = deps.knownImages.union(new Set(request.sources.map(({ imageId }) => imageId)));
  const living = { builds: deps.alive, otherUnits: request.otherUnits, isLeaving: false, images };
  const orphans: readonly Orphan[] = [
    ...(await findOrphans(place, request.owner, async () => living, call)),
    ...(await findPythonLeftovers(request, place, call)),
  ];
  const failures = await reap(orphans, call);
  for (const { orphan, error } of failures) {
    const what = `${orphan.kind} ${orphan.name} (${orphan.id}) in ${place.name}`;
    deps.journal.add({ event: "leftover", what, error: describe(error) });
  }
  for (const orphan of orphans.filter((each) => !failures.some((failure) => failure.orphan === each))) {
    const { kind, id, name } = orphan;
    deps.log.info({ kind, id, name, cloud: place.name }, "reaped");
    deps.journal.add({ event: "reaped", cloud: place.name, kind, name });
  }
  return failures.length;
}
