/** The actions `rollback` and `unpin`. */
import { AppError } from "../../base/errors.ts";
import { readPins, withoutPins, writePins } from "../../build/pins.ts";
import { specName } from "../../build/types.ts";
import type { ActionRun } from "../../juju/index.ts";
import type { BuilderConfig } from "../config.ts";
import type { CharmEnvironment } from "../environment.ts";
import type { Facts } from "../facts.ts";
import { reconcile } from "../reconcile.ts";
import { answer, requestParameters, runCommand } from "./command.ts";
import { imagesNamed, listOf, PARAMETERS } from "./parameters.ts";

/** Pins an earlier good image and publishes it. */
export async function rollbackAction(
  run: ActionRun<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
): Promise<void> {
  const { image, to } = await run.action.params(PARAMETERS.rollback);
  assertLeader(run, facts, "rollback");
  const images = imagesNamed("image", listOf(image), facts.specs) ?? facts.specs;
  // the command changes the file: what another leader pinned must be in it
  await writePins(facts.paths.pinsFile, facts.pins);
  const result = await runCommand(run, environment, [
    "rollback",
    ...(await requestParameters(run, environment)),
    ...images.flatMap((spec) => ["--image", specName(spec)]),
    ...(to === "" ? [] : ["--to", to]),
    // the charm is at it already
    "--no-wake",
  ]);
  await answer(run, result);
  if (result.problem === null) await publishPinned(run, facts, environment);
}

/** Lets the newest images be published again. */
export async function unpinAction(
  run: ActionRun<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
): Promise<void> {
  const { image } = await run.action.params(PARAMETERS.unpin);
  assertLeader(run, facts, "unpin");
  const images = imagesNamed("image", listOf(image), facts.specs);
  const names = images?.map(specName) ?? null;
  const meant = facts.pins.pins
    .map(({ spec }) => specName(spec))
    .filter((name) => names?.includes(name) ?? true);
  if (meant.length === 0)
    throw new AppError(`nothing is pinned${names === null ? "" : ` of ${names.join(", ")}`}`);
  await writePins(facts.paths.pinsFile, withoutPins(facts.pins, names, new Date()));
  await run.action.setResults({ unpinned: meant.join(",") });
  await publishPinned(run, facts, environment);
}

async function publishPinned(
  run: ActionRun<BuilderConfig>,
  facts: Facts,
  environment: CharmEnvironment,
): Promise<void> {
  await reconcile(run, { ...facts, pins: await readPins(facts.paths.pinsFile) }, environment);
}

function assertLeader(run: ActionRun<BuilderConfig>, { peers }: Facts, action: string): void {
  const { unit, application } = run.context;
  if (!peers.isLeader) {
    throw new AppError(
      `cannot change what is published on ${unit}: run juju run ${application}/leader ${action}`,
    );
  }
}
