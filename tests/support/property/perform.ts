/** Carries out steps. */
import { APPLICATION } from "../charm.ts";
import { CHARM } from "../staged-charm.ts";
import { broken } from "./broken-rule.ts";
import { arm, recover } from "./crash.ts";
import { endBuild } from "./end-build.ts";
import { chosen, CONFIGS, type Step } from "./steps.ts";
import {
  buildsOf,
  noteCloud,
  relateAnother,
  underWay,
  unitsOf,
  writeCredentials,
  type World,
} from "./world.ts";

const MOST_UNITS = 3;
const MOST_RELATIONS = 4;
/** Units ever, as many as builders are watched over. */
const LAST_UNIT = 9;

/** Carries out `step` and waits for the hooks; what a crash made fail has then run again. */
export async function perform(world: World, step: Step): Promise<void> {
  if (step.do === "crash") {
    world.crash = step;
    return;
  }
  const disarm = arm(world);
  try {
    await act(world, step);
    await world.charm.settle();
  } finally {
    await disarm();
  }
  await recover(world);
}

async function act(world: World, step: Exclude<Step, { readonly do: "crash" }>): Promise<void> {
  const { charm } = world;
  const { juju } = charm;
  const related = "relation" in step ? chosen(world.related, step.relation) : undefined;
  const remote = related && chosen([...related.accounts.keys()], "unit" in step ? step.unit : 0);
  const ours = chosen(unitsOf(world), "unit" in step ? step.unit : 0) ?? "";
  switch (step.do) {
    case "relate":
      if (world.related.length < MOST_RELATIONS)
        await relateAnother(world, step.silent ? null : step.account);
      return;
    case "unrelate":
      if (related === undefined) return;
      world.related.splice(world.related.indexOf(related), 1);
      return await juju.removeRelation(related.relation);
    case "write":
    case "clear": {
      if (related === undefined || remote === undefined) return;
      const account = step.do === "clear" ? null : step.account;
      return await writeCredentials(world, related, remote, account, step.do === "write" && step.rotated);
    }
    case "add remote unit":
      if (related === undefined || related.accounts.size > 3) return;
      return await writeCredentials(world, related, juju.addScriptedUnit(related.name), step.account, false);
    case "remove remote unit":
      if (related === undefined || remote === undefined) return;
      related.accounts.delete(remote);
      noteCloud(world, related);
      return await juju.removeUnit(remote);
    case "configure": {
      const values = chosen(CONFIGS, step.config) ?? {};
      Object.assign(world.config, values);
      return await juju.setConfig(APPLICATION, values);
    }
    case "rotate secret":
      return juju.updateSecret(charm.passwordSecret, { password: `rotated-${world.next()}-S3cret` });
    case "revoke secret":
    case "grant secret":
      world.isGranted = step.do === "grant secret";
      if (world.isGranted) juju.grantSecret(charm.passwordSecret, APPLICATION);
      else juju.revokeSecret(charm.passwordSecret, APPLICATION);
      return;
    case "update-status":
      return await charm.updateStatus(ours);
    case "tick":
      await charm.fire("run", ours);
      return;
    case "wake":
      await charm.wake(ours);
      return;
    case "action":
      return await runAction(world, ours);
    case "lead":
      return juju.setLeader(ours);
    case "add unit": {
      const numbers = unitsOf(world).map((name) => Number(name.replace(/^.*\//, "")));
      if (numbers.length < MOST_UNITS && Math.max(...numbers) < LAST_UNIT)
        await juju.addUnits(APPLICATION, 1);
      return;
    }
    case "remove unit":
      if (unitsOf(world).length > 1) await removeUnit(world, ours);
      return;
    case "upgrade":
      return await juju.upgradeCharm(APPLICATION, CHARM);
    case "end build": {
      const [build] = await underWay(world);
      if (build !== undefined) await endBuild(world, build, step.how, step.wakes);
    }
  }
}

/** Runs the action; the build whose id it gives must be under way, be it a new one or one that it joined. */
export async function runAction(world: World, unit: string): Promise<void> {
  const { status, results } = await world.charm.juju.runAction(unit, "run");
  await world.charm.settle();
  if (status !== "completed") return;
  const builds = await underWay(world);
  if (!builds.some(({ id }) => id === results["build"])) {
    throw broken(
      "no lost build",
      `the action on ${unit} gave build ${String(results["build"])}, which is not under way`,
    );
  }
}

/** The unit's machine goes with its files and its builder; what it has told nobody is lost. */
async function removeUnit(world: World, unit: string): Promise<void> {
  for (const build of await underWay(world)) {
    if (build.unit === unit) await world.charm.builders.end(build, { outcome: "killed" });
  }
  world.store.lose(unit);
  for (const build of await buildsOf(world)) {
    const known = world.remembered.get(build.id);
    if (build.unit !== unit) continue;
    if (known === undefined)
      world.remembered.set(build.id, { ...build, state: "interrupted", isKnown: true });
    else if (!known.isKnown || known.state === "running" || known.state === "queued")
      known.state = "interrupted";
  }
  await world.charm.juju.removeUnit(unit);
  await world.charm.settle();
}
