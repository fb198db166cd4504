/** Carries out steps. */
import { readFile } from "node:fs/promises";
import { pause } from "../../../src/base/deadline.ts";
import { pathsOf } from "../../../src/build/paths.ts";
import { readPublished } from "../../../src/build/steps/prune.ts";
import { BUILD_CLOUD } from "../../../src/charm/facts.ts";
import { parseCloudsYaml } from "../../../src/openstack/index.ts";
import type { Ending } from "../charm-builds.ts";
import { APPLICATION, REPOSITORY } from "../charm.ts";
import { broken } from "./rules.ts";
import { chosen, CONFIGS, type BuildEnd, type Step } from "./steps.ts";
import {
  buildsOf,
  leaderOf,
  noteCloud,
  relateAnother,
  underWay,
  unitsInError,
  unitsOf,
  writeCredentials,
  type PlacedBuild,
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
function arm(world: World): () => Promise<void> {
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
  const killing = (async () => {
    const isStruck = (): boolean =>
      juju
        .journal()
        .slice(from)
        .some((call) => call.command === command && call.unit === unit);
    while (!over.signal.aborted) {
      if (isStruck()) {
        juju.killHook(unit, "SIGKILL");
        return;
      }
      await pause(5, AbortSignal.any([])).catch(() => {});
    }
  })();
  return async () => {
    over.abort();
    await killing;
    remove();
  };
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
      return await juju.upgradeCharm(APPLICATION, REPOSITORY);
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

/** Ends `build` as a builder does, wakes its charm if `wakes`, and prunes where that was confirmed. */
export async function endBuild(
  world: World,
  build: PlacedBuild,
  how: BuildEnd,
  wakes: boolean,
): Promise<void> {
  const { charm, store } = world;
  const { unit } = build;
  const paths = pathsOf(charm.root, unit);
  const all = build.request.kind === "initialise" ? [] : await targetsOf(paths.cloudsFile);
  const brought = how === "done" ? all : how === "half" ? all.slice(0, Math.floor(all.length / 2)) : [];
  await charm.builders.end(build, {
    outcome: outcomeOf(how),
    ...(how === "done" || how === "half" ? { targets: all } : {}),
    images: store.upload(build, unit, brought),
  });
  if (!wakes || how === "killed" || (await charm.wake(unit)) !== 0) return;
  const published = await readPublished(paths.publishedFile);
  if (how === "done" && published !== null) store.prune(build, all, published, 2);
}

function outcomeOf(how: BuildEnd): Ending["outcome"] {
  return how === "done" || how === "killed"
    ? how
    : { failed: "cannot build noble-x64: as the test wants it" };
}

async function targetsOf(cloudsFile: string): Promise<readonly string[]> {
  const clouds = parseCloudsYaml(await readFile(cloudsFile, "utf8"), cloudsFile);
  return [...clouds.keys()].filter((name) => name !== BUILD_CLOUD);
}

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
