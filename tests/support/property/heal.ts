/** The end of each sequence: what steps have put wrong is put right. */
import { APPLICATION } from "../charm.ts";
import { broken } from "./broken-rule.ts";
import { recover } from "./crash.ts";
import { endBuild } from "./end-build.ts";
import { runAction } from "./perform.ts";
import { leaderOf, underWay, unitsOf, type World } from "./world.ts";

/** Puts right whatever steps have put wrong, and lets builds end well until none is left. */
export async function heal(world: World): Promise<void> {
  const { charm } = world;
  world.crash = null;
  world.isGranted = true;
  charm.juju.grantSecret(charm.passwordSecret, APPLICATION);
  const good = { "build-interval": 6, "base-image": "noble" };
  Object.assign(world.config, good);
  await charm.juju.setConfig(APPLICATION, good);
  await updateAll(world);
  await endAll(world);
  await runAction(world, leaderOf(world));
  await endAll(world);
  await updateAll(world);
}

/** `update-status` on every unit, as Juju runs it every few minutes. */
export async function updateAll(world: World): Promise<void> {
  for (const unit of unitsOf(world)) await world.charm.juju.updateStatus(unit);
  await world.charm.settle();
  await recover(world);
}

async function endAll(world: World): Promise<void> {
  for (let ended = 0; ended < 6; ended += 1) {
    const [build] = await underWay(world);
    if (build === undefined) return;
    await endBuild(world, build, "done", true);
    await recover(world);
  }
  throw broken("no lost build", "one build follows the other for ever, though all end well");
}
