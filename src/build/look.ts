/** Whether what is published still exists: runners that cannot be launched are the first to notice, else. */
import { minutes, withDeadline } from "../base/deadline.ts";
import { describe } from "../base/errors.ts";
import { listImages } from "../openstack/index.ts";
import type { Targets } from "./build-image.ts";
import type { StepContext } from "./step.ts";
import { readPublished } from "./steps/prune.ts";
import type { BuildRequest } from "./types.ts";

const LIMIT_MS = minutes(2);

/**
 * Journals which of the published images are in one of `targets`, active, and which are in none. Where these are not all
 * clouds that `request` might name, or one lets nobody in, what is not found may be elsewhere, and is in neither list.
 * Never fails a build: what cannot be seen is logged. Throws the signal's reason alone.
 */
export async function lookAtPublished(
  targets: Targets,
  request: Pick<BuildRequest, "publishedFile" | "targets">,
  { journal, log, signal }: Pick<StepContext, "journal" | "log" | "signal">,
): Promise<void> {
  const { publishedFile } = request;
  if (publishedFile === null) return;
  const isEverywhere = request.targets === null && targets.failures.length === 0;
  try {
    await withDeadline(signal, LIMIT_MS, "looking at what is published", async (limit) => {
      const published = await readPublished(publishedFile);
      if (published === null || published.size === 0) return;
      const images = await Promise.all(
        targets.clouds.map((cloud) => listImages(cloud, { owner: cloud.projectId }, { signal: limit })),
      );
      const active = new Set(
        images.flatMap((list) => list.filter(({ status }) => status === "active").map(({ id }) => id)),
      );
      const found = [...published.intersection(active)];
      const missing = isEverywhere ? [...published.difference(active)] : [];
      journal.add({ event: "looked", found, missing });
      if (missing.length > 0) log.warn({ images: missing }, "published images are missing");
    });
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ err: describe(error) }, "cannot look at what is published");
  }
}
