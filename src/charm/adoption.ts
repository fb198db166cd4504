/** What stands in databags although no build is known: another revision of the charm has published it. */
import type { Build } from "../build/history.ts";
import type { Artifact, Source } from "../build/types.ts";
import type { Order } from "./build-request.ts";
import type { Due } from "./due.ts";
import type { Facts } from "./facts.ts";
import {
  changedPublication,
  publishedImages,
  specOfTags,
  tagsOf,
  type Publication,
  type Requirer,
} from "./image-relation.ts";

/** Whether any cloud has an image in its databag. */
export function isAnyPublished(requirers: readonly Pick<Requirer, "cloud" | "published">[]): boolean {
  return requirers.some(({ cloud, published }) => cloud !== null && publishedImages(published).size > 0);
}

/**
 * The order of an adoption: what databags say is where. What is published counts as made from the present options where
 * it is of the images that they ask for, in their order; else a build is due as soon as the adoption has ended.
 */
export function adoptionOrder(due: Extract<Due, { kind: "adopt" }>, { requirers, specs }: Facts): Order {
  const wanted = specs.map(tagsOf).join(" ");
  const related = requirers.filter(
    ({ cloud, published }) => cloud !== null && publishedImages(published).size > 0,
  );
  const sources = related.flatMap(({ cloud, published }) =>
    [...publishedImages(published)].flatMap(([tags, imageId]): readonly Source[] => {
      const spec = specOfTags(tags);
      return spec === null || cloud === null ? [] : [{ spec, cloud, imageId, buildId: imageId }];
    }),
  );
  const isAsWanted = related.every(
    ({ published }) => [...publishedImages(published).keys()].join(" ") === wanted,
  );
  return { ...due, sources, ...(isAsWanted ? {} : { inputs: "" }) };
}

/** What {@link owedPublication} goes by. */
export interface PublishedBy {
  readonly builds: readonly Pick<Build, "request" | "artifacts">[];
  /** What other units told of. */
  readonly told: readonly Artifact[];
  readonly pinnedAt: string;
}

/**
 * {@link changedPublication} to `cloud`, but null as long as nobody has built or copied an image for it nor pinned one:
 * what another revision of the charm has published stays to the letter.
 */
export function owedPublication(
  { specs, artifacts }: { readonly specs: Facts["specs"]; readonly artifacts: ReadonlyMap<string, Artifact> },
  cloud: string,
  published: Requirer["published"],
  { builds, told, pinnedAt }: PublishedBy,
): Publication | null {
  const isOurs =
    publishedImages(published).size === 0 ||
    pinnedAt !== "" ||
    told.some((artifact) => artifact.cloud === cloud) ||
    builds.some(
      ({ request, artifacts: made }) =>
        request.kind !== "adopt" && made.some((artifact) => artifact.cloud === cloud),
    );
  return isOurs ? changedPublication(specs, cloud, artifacts, published) : null;
}
