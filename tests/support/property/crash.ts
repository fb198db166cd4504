/** Crashes: they strike one step, and the hooks that they fail run again. */
import type { FakeJuju } from "../../../lab/juju/index.ts";
import { waitFor } from "../../../src/base/deadline.ts";
import { broken } from "./broken-rule.ts";
import { chosen } from "./steps.ts";
import { unitsInError, unitsOf, type World } from "./world.ts";

/** Runs failed hooks again until none fails: what struck them is over. */
export async function recover(world: World): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    const failed = unitsInError(world);
    if (failed.length === 0) return;
    for (const unit of failed) await world.charm.juju.resolve(unit);
    await world.charm.settle();
  }
  const [unit] = unitsInError(world);
  const failures = world.charm.failures();
  if (unit !== undefined) throw broken("hooks", `${unit} fails again and again: ${failures.at(-1)}`);
}

/** Puts the crash that waits into force; the returned function takes back what has not struck. */
export function arm(world: World): () => Promise<void> {
  const { crash, charm } = world;
  world.crash = null;
  const unit = crash === null ? undefined : chosen(unitsOf(world), crash.unit);
  if (crash === null || unit === undefined) return async () => {};
  const { juju } = charm;
  const { command, how } = crash;
  if (how === "refuse") {
    juju.failNextCommit(unit, "cannot commit: the controller is gone");
    return async () => {};
  }
  if (how === "fail") {
    const remove = juju.injectFault({
      command,
      unit,
      nth: 1,
      exit: 1,
      stderr: "ERROR connection is shut down\n",
    });
    return async () => remove();
  }
  const from = charm.mark();
  const remove = juju.injectFault({ command, unit, nth: 1, hang: true });
  const over = new AbortController();
  const killing = killWhen(over.signal, juju, unit, () =>
    juju
      .journal()
      .slice(from)
      .some((call) => call.command === command && call.unit === unit),
  );
  return async () => {
    over.abort();
    await killing;
    remove();
  };
}

async function killWhen(
  over: AbortSignal,
  juju: FakeJuju,
  unit: string,
  isStruck: () => boolean,
): Promise<void> {
  try {
    await waitFor(over, 5, async () => (isStruck() ? true : undefined));
  } catch (error) {
    // the step had no such call
    if (over.aborted) return;
    throw error;
  }
  juju.killHook(unit, "SIGKILL");
}
