/** Actions that ask the clouds: each is the command of the same name. */
import type { ActionRun } from "../../juju/index.ts";
import type { BuilderConfig } from "../config.ts";
import type { CharmEnvironment } from "../environment.ts";
import { answer, requestParameters, runCommand } from "./command.ts";
import { PARAMETERS } from "./parameters.ts";

/** The actions `list-images` and `check`. */
export async function askClouds(
  name: "list-images" | "check",
  run: ActionRun<BuilderConfig>,
  environment: CharmEnvironment,
): Promise<void> {
  const { format } = await run.action.params(PARAMETERS.format);
  await command(run, environment, name, format === "json" ? ["--json"] : []);
}

/** The actions `prune` and `reap`. */
export async function tidyClouds(
  name: "prune" | "reap",
  run: ActionRun<BuilderConfig>,
  environment: CharmEnvironment,
): Promise<void> {
  const { apply, format } = await run.action.params(PARAMETERS.apply);
  const flags = [...(apply ? ["--apply"] : []), ...(format === "json" ? ["--json"] : [])];
  await command(run, environment, name, flags);
}

async function command(
  run: ActionRun<BuilderConfig>,
  environment: CharmEnvironment,
  name: string,
  flags: readonly string[],
): Promise<void> {
  const request = await requestParameters(run, environment);
  await answer(run, await runCommand(run, environment, [name, ...request, ...flags]));
}
