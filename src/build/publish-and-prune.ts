/** The end of a build: the charm publishes what was verified, and only then what is superseded goes. */
import { describe } from "../base/errors.ts";
import { limitsWith } from "../base/limits.ts";
import type { Targets } from "./build-image.ts";
import { NO_EVIDENCE, readEvidence } from "./publication/evidence.ts";
import type { RunDeps } from "./run-build.ts";
import type { Evidence } from "./publication/states.ts";
import { step, type StepContext } from "./step.ts";
import { prune, readPublished } from "./steps/prune.ts";
import type { Artifact, BuildRequest } from "./types.ts";

/** Runs `work`, whose failure is noted as left behind and harms nothing else. */
export type Tidy = (what: string, limit: AbortSignal, work: () => Promise<void>) => Promise<void>;

/** What the end of a build goes by. */
export interface Ending {
  readonly request: BuildRequest;
  readonly artifacts: readonly Artifact[];
  readonly openTargets: (signal: AbortSignal) => Promise<Targets>;
  readonly context: StepContext;
}

/** Wakes the charm and waits until it has published; where it confirms that, prunes. */
export async function publishAndPrune(
  { request, artifacts, openTargets, context }: Ending,
  deps: RunDeps,
  tidy: Tidy,
): Promise<void> {
  if (request.publishedFile === null) return;
  const file = request.publishedFile;
  const published = await step(context, "publish", limitsWith(request.limits).publish, async () =>
    (await deps.publish()) ? await readPublished(file) : null,
  );
  if (published === null) {
    deps.log.warn("the charm did not confirm the publication; nothing is pruned");
    return;
  }
  // where nothing is published, nothing is superseded
  const evidence = async (): Promise<Evidence> => (await readEvidence(file)) ?? NO_EVIDENCE;
  const ids = artifacts.map(({ imageId }) => imageId).filter((id) => published.has(id));
  deps.journal.add({ event: "published", ids: [...new Set(ids)] });
  await step(context, "prune superseded images", limitsWith(request.limits).prune, async (limit) => {
    for (const target of (await openTargets(limit)).clouds) {
      const out = artifacts.filter(({ cloud, imageId }) => cloud === target.name && published.has(imageId));
      for (const { spec } of out) {
        const what = { owner: request.owner, spec, keep: request.keepRevisions };
        const onLeftover = (image: { id: string; name: string }, error: Error): void =>
          deps.journal.add({
            event: "leftover",
            what: `image ${image.name} (${image.id}) in ${target.name}`,
            error: describe(error),
          });
        await tidy(`superseded images in ${target.name}`, limit, async () => {
          const deleted = await prune(target, what, evidence, onLeftover, { signal: limit });
          if (deleted.length > 0) deps.log.info({ cloud: target.name, images: deleted }, "pruned");
        });
      }
    }
  });
}
