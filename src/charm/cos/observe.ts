/** What a reconcile tells those who watch: metrics, and what an agent of COS is offered. Loaded only by full reconciles. */
import { listen, stopListening } from "../../build/metrics/listen.ts";
import { keepLedger } from "../../build/metrics/ledger.ts";
import type { PublishedImage } from "../../build/metrics/collect.ts";
import { writeMetrics } from "../../build/metrics/write-metrics.ts";
import type { Build } from "../../build/history.ts";
import type { Ticks } from "../../build/ticks.ts";
import { limitsWith } from "../../base/limits.ts";
import type { Artifact, BuildKind } from "../../build/types.ts";
import type { Run } from "../../juju/index.ts";
import manifest from "../../../package.json" with { type: "json" };
import type { BuilderConfig } from "../config.ts";
import type { Facts } from "../facts.ts";
import { CONFIG_KEY, cosConfig } from "./databag.ts";

export { choosePort, PORT_LIMIT, PORTS, stopListening } from "../../build/metrics/listen.ts";

/** What images come of; other builds leave no record in the model's log. */
const RECORDED: readonly BuildKind[] = ["build", "copy"];

/** What a reconcile has found beside the facts. */
export interface Found {
  readonly builds: readonly Build[];
  readonly ticks: Ticks | null;
  /** All artifacts that anybody knows, of which some are published. */
  readonly artifacts: readonly Artifact[];
  /** Of each cloud, ids by tags, as they stand in a databag. */
  readonly published: readonly { readonly cloud: string; readonly ids: ReadonlyMap<string, string> }[];
}

/**
 * Writes the metrics, serves them where an agent wants them, and queues its databag. True when that says it already. What
 * only watches stops nothing: metrics that cannot be written or served are logged, and tried again by the next reconcile.
 */
export async function observe(
  run: Run<BuilderConfig>,
  facts: Facts,
  found: Found,
  path: string,
): Promise<boolean> {
  const { paths, collection } = facts;
  const { unit, application, model } = run.context;
  try {
    await measure(run, facts, found);
    if (collection.port === null) await stopListening(paths, path);
    else await listen(paths, unit, collection.port, path);
  } catch (error) {
    run.log.warn({ err: error }, "cannot write or serve metrics");
  }
  const topology = { model: model.name, modelUuid: model.uuid, application, charm: manifest.name };
  const text = cosConfig(topology, collection.port, `${paths.logs}/*.log`);
  const outdated = collection.agents.filter(({ bag }) => bag !== null && bag[CONFIG_KEY] !== text);
  for (const { relation } of outdated) relation.setUnitData({ [CONFIG_KEY]: text });
  return outdated.length === 0;
}

async function measure(run: Run<BuilderConfig>, facts: Facts, found: Found): Promise<void> {
  const { paths, peers, config } = facts;
  const { ledger, ended } = await keepLedger(paths.ledgerFile, found.builds);
  for (const build of ended) if (RECORDED.includes(build.request.kind)) run.log.info(recordOf(build));
  const observed = {
    version: manifest.version,
    isLeader: peers.isLeader,
    ledger,
    runningSince: found.builds.find(({ state }) => state === "running")?.startedAt ?? null,
    limitMs: limitsWith(config.limits).build,
    ticks: found.ticks,
    published: publishedImages(found),
    clouds: facts.targets,
  };
  await writeMetrics(paths, run.context.unit, observed, new Date());
}

/** Each image of each cloud once: relations with one account have one cloud. */
function publishedImages({ published, artifacts }: Found): readonly PublishedImage[] {
  const known = new Map(artifacts.map((artifact) => [artifact.imageId, artifact]));
  const images = published.flatMap(({ cloud, ids }) =>
    [...ids].map(([tags, id]): PublishedImage => ({
      image: tags.split(",").toReversed().join("-"),
      cloud,
      id,
      made: known.get(id) ?? null,
    })),
  );
  return [...new Map(images.map((one) => [`${one.cloud}/${one.image}`, one])).values()];
}

/**
 * A build that ended as one JSON object for the model's log. The first five keys are those of the Python charm, whose
 * readers go on working; `duration` is in seconds, null for a build that never began.
 */
function recordOf({ id, request, state, startedAt, endedAt, artifacts, errors }: Build): string {
  const isTimed = startedAt !== null && endedAt !== null;
  return JSON.stringify({
    log_type: "image_build",
    duration: isTimed ? (Date.parse(endedAt) - Date.parse(startedAt)) / 1000 : null,
    cloud_images_count: artifacts.length,
    arch: request.images[0]?.arch ?? "",
    bases: request.images.map(({ base }) => base),
    build: id,
    kind: request.kind,
    reason: request.reason,
    outcome: state,
    ended_at: endedAt,
    error: errors.length === 0 ? null : errors.join("; "),
  });
}
