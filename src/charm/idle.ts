/**
 * An `update-status` that finds nothing to do, as nearly all do: most dispatches of a unit. So it is a program of its
 * own, which loads neither the rest of the charm nor its framework (docs/decisions/0005-idle-update-status.md).
 */
import {
  areReadable,
  contextFromEnvironment,
  openBlockingHookTool,
  statusSetter,
  worst,
} from "../juju/index.ts";
import { statusesAt } from "./collect-status.ts";
import type { CharmEnvironment } from "./environment.ts";
import { readSettled } from "./settled.ts";

/**
 * Sets the unit's status when the dispatch that `env` describes is an `update-status` in which a full one would do
 * nothing else, and asks Juju only for what changes without an event. False: the full one is to be run, and nothing was
 * done.
 *
 * Handles no signal: there is nothing to clean up, and a process that dies of one has the agent run the hook again.
 */
export async function tellIdleStatus(
  env: Readonly<Record<string, string | undefined>>,
  environment: CharmEnvironment,
): Promise<boolean> {
  if (env["JUJU_DISPATCH_PATH"] !== "hooks/update-status") return false;
  try {
    const context = contextFromEnvironment(env);
    const settled = await readSettled(context, environment);
    if (settled === null) return false;
    const status = worst(statusesAt(new Date(), settled, context.application));
    // what an operator has to act on may be put right without an event, by granting a secret for one
    if (status?.name !== "active" && status?.name !== "maintenance") return false;
    const tool = openBlockingHookTool(context);
    // taking a grant back fires no hook
    if (!(await areReadable(tool, settled.secretUris))) return false;
    await statusSetter(tool)(status);
    return true;
  } catch {
    // the full dispatch meets it again, and has a log to say so in
    return false;
  }
}
