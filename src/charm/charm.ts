/** The charm: which event does what. What an idle hook does not need is loaded when it is. */
import { asDiskFull, type DiskFullError } from "../base/disk-full.ts";
import { ConfigError } from "../base/errors.ts";
import { removeAtomic } from "../base/files.ts";
import { listBuilds } from "../build/history.ts";
import { pathsOf } from "../build/paths.ts";
import { blocked, defineCharm, type Charm, type JujuContext, type Run } from "../juju/index.ts";
import { standingOf, statusesAt, type StatusInput } from "./collect-status.ts";
import type { BuilderConfig } from "./config.ts";
import type { CharmEnvironment } from "./environment.ts";
import { readFacts, type Facts } from "./facts.ts";
import { install, remove } from "./machine.ts";
import { wasPythonCharm } from "./python-charm/mark.ts";
import { forgetSettled, ticksHere } from "./settled.ts";

/** The charm for one machine; `environment` says where its files are. */
export function createCharm(environment: CharmEnvironment): Charm<BuilderConfig> {
  type AnyRun = Run<BuilderConfig>;
  const known = new WeakMap<AnyRun["unit"], Promise<Facts>>();
  const factsOf = async (run: AnyRun): Promise<Facts> => {
    const facts = known.get(run.unit) ?? readAnew(run);
    known.set(run.unit, facts);
    return await facts;
  };
  const readAnew = async (run: AnyRun): Promise<Facts> => {
    await forgetSettled(pathsOf(environment.root, run.context.unit));
    await leaveFormerCharm(run);
    const { mirror, readPeers } = await import("./peers.ts");
    const peers = await readPeers(run);
    // before anything that wrong options could stop: what is published never waits for an operator
    const isMirrored = await mirror(run.unit, peers);
    return await readFacts(run, environment, { peers, isMirrored });
  };
  const troubles = new WeakMap<AnyRun["unit"], DiskFullError>();
  /** Does `work`; a full disk blocks the unit until an event finds room, instead of failing hook after hook. */
  const withRoom = async (run: AnyRun, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const full = asDiskFull(error, pathsOf(environment.root, run.context.unit).state);
      if (full === null) throw error;
      run.log.error({ err: full }, "the disk is full");
      troubles.set(run.unit, full);
    }
  };
  const leaveFormerCharm = async (run: AnyRun): Promise<void> => {
    if (!(await wasPythonCharm(run.context.charmDir))) return;
    const { leavePythonCharm } = await import("./python-charm/leave.ts");
    await leavePythonCharm(run, environment);
  };
  const converge = async (run: AnyRun): Promise<void> => {
    try {
      await withRoom(run, async () => {
        const { reconcile } = await import("./reconcile.ts");
        await reconcile(run, await factsOf(run), environment);
      });
    } catch (error) {
      // collectStatus meets it again and blocks the unit; what is queued is written all the same
      if (!(error instanceof ConfigError)) throw error;
    }
  };

  return defineCharm<BuilderConfig>({
    metadata: { endpoints: ["image", "cos-agent", "peers"], storages: [] },
    parseConfig: async (raw) => (await import("./config.ts")).parseOptions(raw),
    hooks: {
      install: async (run) => {
        await install(pathsOf(environment.root, run.context.unit), environment.path);
      },
      "upgrade-charm": async (run) => {
        // first: its secrets go whatever else may fail
        await leaveFormerCharm(run);
        await install(pathsOf(environment.root, run.context.unit), environment.path);
        await converge(run);
      },
      start: converge,
      "config-changed": converge,
      "update-status": converge,
      "leader-elected": converge,
      "secret-changed": converge,
      "relation-created": converge,
      "relation-joined": converge,
      "relation-changed": converge,
      "relation-departed": converge,
      "relation-broken": converge,
      stop: async (run) => {
        const { cronFile, scheduleFile } = pathsOf(environment.root, run.context.unit);
        await removeAtomic(cronFile);
        await removeAtomic(scheduleFile);
        const { leaveClouds } = await import("./leave.ts");
        await leaveClouds(run, environment);
      },
      remove: async (run) => {
        await remove(pathsOf(environment.root, run.context.unit), environment.path, run.log);
      },
    },
    custom: {
      run: async (run) => {
        const facts = await factsOf(run);
        // every unit's cron ticks, the leader builds; without anybody to build for the status says so
        if (!facts.peers.isLeader || facts.targets.length === 0) return await converge(run);
        const { buildNow } = await import("./reconcile.ts");
        const wish = { reason: "schedule", images: null, targets: null };
        await withRoom(run, () => buildNow(run, facts, environment, wish));
      },
      "build-changed": converge,
      "check-releases": async (run) => {
        const facts = await factsOf(run);
        if (!facts.config.rebuildOnRelease || !facts.peers.isLeader || facts.targets.length === 0) return;
        const { checkReleases } = await import("./reconcile.ts");
        await withRoom(run, () => checkReleases(run, facts, environment));
      },
      "release-found": async (run) => {
        const facts = await factsOf(run);
        if (!facts.peers.isLeader || facts.targets.length === 0) return await converge(run);
        const { buildNow } = await import("./reconcile.ts");
        const wish = { reason: "release", images: null, targets: null };
        await withRoom(run, () => buildNow(run, facts, environment, wish));
      },
    },
    actions: {
      run: async (run) => {
        const facts = await factsOf(run);
        await (await import("./actions/run.ts")).runAction(run, facts, environment);
      },
      rollback: async (run) => {
        const facts = await factsOf(run);
        await (await import("./actions/pins.ts")).rollbackAction(run, facts, environment);
      },
      unpin: async (run) => {
        const facts = await factsOf(run);
        await (await import("./actions/pins.ts")).unpinAction(run, facts, environment);
      },
      "list-builds": async (run) =>
        await (await import("./actions/builds.ts")).listBuildsAction(run, environment),
      "show-build": async (run) =>
        await (await import("./actions/builds.ts")).showBuildAction(run, environment),
      cancel: async (run) => await (await import("./actions/builds.ts")).cancelAction(run, environment),
      "list-images": async (run) =>
        await (await import("./actions/clouds.ts")).askClouds("list-images", run, environment),
      check: async (run) => await (await import("./actions/clouds.ts")).askClouds("check", run, environment),
      prune: async (run) => await (await import("./actions/clouds.ts")).tidyClouds("prune", run, environment),
      reap: async (run) => await (await import("./actions/clouds.ts")).tidyClouds("reap", run, environment),
    },
    collectStatus: async (run) => {
      if (run.event.kind === "stop" || run.event.kind === "remove") return [];
      const facts = await factsOf(run);
      const statuses = statusesAt(new Date(), await inputOf(run.context, facts), run.unit.application);
      const full = troubles.get(run.unit);
      const { problem } = facts.collection;
      return [
        // first, because it is why the others hold
        ...(full === undefined ? [] : [blocked(full.message)]),
        ...statuses,
        ...(problem === null ? [] : [blocked(problem)]),
      ];
    },
  });
}

/** The status is told with our databags as they will be when this dispatch has committed. */
async function inputOf(context: JujuContext, facts: Facts): Promise<StatusInput> {
  const requirers = await Promise.all(
    facts.requirers.map(async (requirer) => ({
      ...requirer,
      published: await requirer.relation.ourUnitData(),
    })),
  );
  const { specs, targets, config, paths, peers } = facts;
  const builds = await listBuilds(paths.builds);
  const ticks = await ticksHere(context, paths, config.timing);
  return { specs, targets, requirers, builds, ticks, ...standingOf(peers) };
}
