/** Runner images that another revision of the charm made and published become ours, before anything else is done with them. */
import { rm } from "node:fs/promises";
import { AppError, describe } from "../base/errors.ts";
import { limitsWith } from "../base/limits.ts";
import type { Targets } from "./build-image.ts";
import { adoptImages, type OwnedImage } from "./python-charm/adopt.ts";
import { readTraces, tracesFile } from "./python-charm/traces.ts";
import { step, type StepContext } from "./step.ts";
import { readPublished } from "./steps/prune.ts";
import type { BuildRequest } from "./types.ts";

/** What an adoption goes by. */
export interface AdoptionNeeds {
  readonly request: BuildRequest;
  readonly targets: Targets;
  readonly context: StepContext;
  /** Whether the build's reaping left nothing. */
  readonly isClean: boolean;
}

/**
 * Adopts in all targets what stands in databags, and what the Python charm's log names; with a request of the kind `adopt`
 * journals what is published where. Once nothing is left to be done its traces are forgotten. Does nothing for a build
 * of another kind where there are no traces. Gives why something is left, null when nothing is.
 */
export async function adopt(needs: AdoptionNeeds): Promise<AppError | null> {
  const { request, targets, context, isClean } = needs;
  const { publishedFile } = request;
  const traces = publishedFile === null ? null : await readTraces(publishedFile);
  if (publishedFile === null || (traces === null && request.kind !== "adopt")) return null;
  const problems = targets.failures.map(({ cloud: name, error }) => `${name}: ${error}`);
  const refused = new Set<string>();
  const silent = new Set<string>();
  const owned = await step(
    context,
    "adopt the images there are",
    limitsWith(request.limits).reap,
    async (limit) => {
      const published = (await readPublished(publishedFile)) ?? new Set<string>();
      const proven = published.union(new Set(traces?.images ?? []));
      return await adoptImages(
        targets.clouds,
        request.owner,
        request.id,
        proven,
        (cloud, image, error) => {
          const what = image === null ? cloud.name : `image ${image.name} (${image.id}) in ${cloud.name}`;
          context.journal.add({ event: "leftover", what, error: describe(error) });
          problems.push(`${what}: ${describe(error)}`);
          if (image === null) silent.add(cloud.name);
          else refused.add(image.id);
        },
        { signal: limit },
      );
    },
  );
  if (request.kind === "adopt") journalPublished(needs, owned, { refused, silent });
  const isWhole = problems.length === 0 && isClean && request.targets === null;
  if (isWhole) await rm(tracesFile(publishedFile), { force: true });
  return problems.length === 0 ? null : new AppError(`cannot adopt all images: ${problems.join("; ")}`);
}

/**
 * A cloud that lacks an image that is published there counts as one that was never served: it gets one at once. Those of
 * `refused` are there, though not ours; of the clouds in `silent` nothing is known.
 */
function journalPublished(
  { request, targets, context }: AdoptionNeeds,
  owned: readonly OwnedImage[],
  { refused, silent }: { readonly refused: ReadonlySet<string>; readonly silent: ReadonlySet<string> },
): void {
  const { journal, log } = context;
  const served: string[] = [];
  const answered = new Set(targets.clouds.map(({ name }) => name)).difference(silent);
  for (const name of answered) {
    const wanted = new Set(
      request.sources.filter(({ cloud }) => cloud === name).map(({ imageId }) => imageId),
    );
    const here = owned.filter(({ cloud, image }) => cloud === name && wanted.has(image.id));
    const there = new Set([...refused, ...here.map(({ image }) => image.id)]);
    const missing = wanted.difference(there);
    for (const image of missing) log.warn({ cloud: name, image }, "what is published is not there");
    if (wanted.size === 0 || missing.size > 0) continue;
    served.push(name);
    for (const { spec, image, revision } of here) {
      journal.add({
        event: "artifact",
        spec,
        cloud: name,
        imageId: image.id,
        sizeBytes: image.sizeBytes ?? 0,
        hash: `${image.hashAlgorithm}:${image.hashValue}`,
        build: revision,
        made: image.createdAt.toISOString(),
      });
    }
  }
  const unknown = targets.names.filter((name) => !answered.has(name));
  journal.add({ event: "targets", image: "", clouds: [...served, ...unknown] });
}
