/** What goes into databags, our own and those of the peer relation; queued, and written when the hook succeeds. */
import { writeIfChanged } from "../base/files.ts";
import { newestArtifacts, type Build } from "../build/history.ts";
import { formatPublished } from "../build/steps/prune.ts";
import type { JujuContext } from "../juju/index.ts";
import { owedPublication } from "./adoption.ts";
import type { History } from "./due.ts";
import type { Facts } from "./facts.ts";
import { isForgotten } from "./forgotten.ts";
import { publicationIn, publishedImages, type Publication } from "./image-relation.ts";
import { formatWord, recordChanges, tellBuilds } from "./peers.ts";

/** What came of publishing. */
export interface Published {
  /** Nothing was queued: all databags say what they should. */
  readonly isUnchanged: boolean;
  /** Images that stand in databags, or did until now. */
  readonly ids: ReadonlySet<string>;
}

/**
 * Queues the databags that differ, on the leader by what was built, on other units by what the leader recorded
 * (already queued when this is called); writes down what may not be pruned.
 */
export async function publish(
  context: JujuContext,
  facts: Facts,
  builds: readonly Build[],
  history: History,
): Promise<Published> {
  const { requirers, specs, peers, paths } = facts;
  const publications = new Map<number, Publication>();
  const changes: (() => void)[] = [];
  const by = { builds, told: peers.artifacts, pinnedAt: history.pinnedAt };
  for (const { relation, cloud, published } of requirers) {
    const bag =
      cloud === null || !peers.isLeader
        ? null
        : owedPublication({ specs, artifacts: history.artifacts }, cloud, published, by);
    if (bag !== null) changes.push(() => relation.setUnitData({ ...bag }));
    const publication = bag ?? publicationIn(published);
    if (publication !== null) publications.set(relation.id, publication);
  }
  const ids = [...requirers.map(({ published }) => published), ...publications.values()].flatMap((bag) => [
    ...publishedImages({ ...bag }).values(),
  ]);
  const all = new Set([...ids, ...peers.published]);
  // first: what no file protects from pruning must not be published
  await writeIfChanged(paths.publishedFile, formatPublished([...all]), 0o600);
  const isRecorded = await record(context, facts, builds, history, publications);
  // after the record: Juju refuses that one when leadership has moved, and then nothing else may be written
  for (const change of changes) change();
  return { isUnchanged: isRecorded && changes.length === 0 && !facts.isMirrored, ids: all };
}

/** Queues the leader's record in the application's peer databag; true when it says all that already. */
async function record(
  { unit }: JujuContext,
  { peers, forgotten, pins }: Facts,
  builds: readonly Build[],
  { artifacts }: History,
  publications: ReadonlyMap<number, Publication>,
): Promise<boolean> {
  if (peers.relation === null || !peers.isLeader) return true;
  const current = await peers.relation.ourApplicationData();
  const told = [...peers.builds, ...tellBuilds(builds, unit)].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  // a unit that comes needs to know at once what to publish, and the rest when it has been met
  const word =
    peers.others.length === 0
      ? null
      : { builds: told.slice(-2), artifacts: [...artifacts.values()], forgotten };
  const changes = recordChanges(current, unit, publications, word, pins);
  const differs = Object.entries(changes).some(([key, value]) => (current[key] ?? null) !== value);
  if (differs) await peers.relation.setApplicationData(changes);
  return !differs;
}

/** Queues what this unit tells the others of its builds and images; true when it has told them already. */
export async function tellOthers(
  { unit }: JujuContext,
  { peers, requirers, forgotten }: Facts,
  builds: readonly Build[],
): Promise<boolean> {
  if (peers.relation === null || peers.others.length === 0) return true;
  const bags = await Promise.all(requirers.map(({ relation }) => relation.ourUnitData()));
  const word = formatWord({
    builds: tellBuilds(builds, unit),
    artifacts: [...newestArtifacts(builds).values()].filter((artifact) => !isForgotten(forgotten, artifact)),
    published: [...new Set(bags.flatMap((bag) => [...publishedImages(bag).values()]))],
  });
  const current = await peers.relation.ourUnitData();
  const differs = Object.entries(word).some(([key, value]) => current[key] !== value);
  if (differs) peers.relation.setUnitData(word);
  return !differs;
}
