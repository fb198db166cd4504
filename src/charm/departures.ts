/** Clouds that are no longer related: their images stay, or go when the operator wants it. */
import { writeIfChanged } from "../base/files.ts";
import {
  forgetDeparture,
  keepDeparture,
  listDepartures,
  startRemoval,
  type KeptDeparture,
} from "../build/departures.ts";
import type { Build } from "../build/history.ts";
import type { Artifact } from "../build/types.ts";
import type { CloudAuth } from "../openstack/index.ts";
import type { Run } from "../juju/index.ts";
import type { BuilderConfig } from "./config.ts";
import { builderProgram, type CharmEnvironment } from "./environment.ts";
import { BUILD_CLOUD, type Facts } from "./facts.ts";

/** An account that lets nobody in is not tried for ever, nor kept. */
const TRIED_FOR_MS = 7 * 24 * 3_600_000;

/** What the decision needs of the rest of a reconcile. */
export interface Surroundings {
  /** The clouds of the last reconcile. */
  readonly before: ReadonlyMap<string, CloudAuth>;
  /** Images that stand in some databag, or did when this hook began. */
  readonly published: ReadonlySet<string>;
  readonly builds: readonly Build[];
  readonly artifacts: Iterable<Artifact>;
}

/**
 * On the leader, with the option `remove-departed-images`: writes down which clouds are gone, and starts the
 * removal of their images once none of them is published. A removal that failed is tried again with the
 * schedule.
 */
export async function followDepartures(
  run: Run<BuilderConfig>,
  facts: Facts,
  { before, published, builds, artifacts }: Surroundings,
  environment: CharmEnvironment,
): Promise<void> {
  const { paths, clouds, config, peers } = facts;
  const { model, application, unit } = run.context;
  const now = new Date();
  if (config.removeDepartedImages && peers.isLeader) {
    for (const [cloud, auth] of before) {
      if (clouds.has(cloud)) continue;
      const owner = { modelUuid: model.uuid, application, unit };
      const { cloudsFile, publishedFile } = paths;
      const departure = { cloud, since: now.toISOString(), owner, cloudsFile, publishedFile };
      await keepDeparture(paths.departures, { ...departure, buildCloud: BUILD_CLOUD }, auth);
    }
  }
  const isTick = run.event.kind === "custom" && run.event.name === "run";
  const brought = [...artifacts, ...builds.flatMap((build) => build.artifacts)];
  for (const departure of await listDepartures(paths.departures)) {
    const isOver = clouds.has(departure.cloud) || !config.removeDepartedImages || !peers.isLeader;
    if (isOver || now.getTime() - Date.parse(departure.since) > TRIED_FOR_MS) {
      if (!isOver) run.log.warn({ cloud: departure.cloud }, "gave up removing images; they stay");
      await forgetDeparture(departure);
      continue;
    }
    const isInUse = brought.some(({ cloud, imageId }) => cloud === departure.cloud && published.has(imageId));
    if (!isInUse) await remove(departure, isTick);
  }

  async function remove(departure: KeptDeparture, again: boolean): Promise<void> {
    const { cloud } = departure;
    // first: what is about to go must not be published when the cloud comes back
    const forgotten = new Map([...facts.forgotten, [cloud, now.toISOString()]]);
    await writeIfChanged(paths.forgottenFile, `${JSON.stringify(Object.fromEntries(forgotten))}\n`, 0o600);
    const program = async () => await builderProgram(environment, paths, run.context.proxies);
    if (await startRemoval(departure, program, again))
      run.log.info({ cloud }, "removing the images of a cloud");
  }
}
