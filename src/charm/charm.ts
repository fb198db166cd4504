/** The charm: which event does what. */
import { rm } from "node:fs/promises";
import { AppError } from "../base/errors.ts";
import { listBuilds } from "../build/history.ts";
import { pathsOf } from "../build/paths.ts";
import { defineCharm, type Charm, type Run } from "../juju/index.ts";
import { statusesOf, type StatusFacts } from "./collect-status.ts";
import { parseConfig, type BuilderConfig } from "./config.ts";
import type { CharmEnvironment } from "./environment.ts";
import { readFacts, type Facts } from "./facts.ts";
import { install, remove } from "./machine.ts";
import { buildNow, reconcile } from "./reconcile.ts";
import { forgetSettled, nextBuild, readSettled, type Settled } from "./settled.ts";

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
    return await readFacts(run, environment);
  };
  const converge = async (run: AnyRun): Promise<void> => {
    await reconcile(run, await factsOf(run), environment);
  };

  const settled = new WeakMap<AnyRun["unit"], Settled>();
  const convergeUnlessIdle = async (run: AnyRun): Promise<void> => {
    const found = await readSettled(run, environment);
    if (found === null) await converge(run);
    else settled.set(run.unit, found);
  };

  return defineCharm<BuilderConfig>({
    metadata: { endpoints: ["image"], storages: [] },
    parseConfig,
    hooks: {
      install: async (run) => {
        await install(pathsOf(environment.root, run.context.unit));
      },
      "upgrade-charm": async (run) => {
        await install(pathsOf(environment.root, run.context.unit));
        await converge(run);
      },
      start: converge,
      "config-changed": converge,
      "update-status": convergeUnlessIdle,
      "leader-elected": converge,
      "secret-changed": converge,
      "relation-created": converge,
      "relation-joined": converge,
      "relation-changed": converge,
      "relation-departed": converge,
      "relation-broken": converge,
      stop: async (run) => {
        await rm(pathsOf(environment.root, run.context.unit).cronFile, { force: true });
      },
      remove: async (run) => {
        await remove(pathsOf(environment.root, run.context.unit), run.log);
      },
    },
    custom: {
      run: async (run) => {
        const facts = await factsOf(run);
        // nobody to build for: the status says so
        if (facts.targets.length > 0) await buildNow(run, facts, environment, "schedule");
      },
      "build-changed": converge,
    },
    actions: {
      run: async (run) => {
        const facts = await factsOf(run);
        if (facts.targets.length === 0) {
          throw new AppError("cannot build: no related charm has given credentials; integrate one first");
        }
        const build = await buildNow(run, facts, environment, "action");
        await run.action.setResults({ build });
      },
    },
    collectStatus: async (run) => {
      if (run.event.kind === "stop" || run.event.kind === "remove") return [];
      const paths = pathsOf(environment.root, run.context.unit);
      const facts = settled.get(run.unit) ?? (await withWrites(await factsOf(run)));
      const next = await nextBuild(run.context, paths, facts.intervalHours);
      return statusesOf(facts, await listBuilds(paths.builds), run.unit.application, next);
    },
  });
}

/** `facts` with our databags as they will be when this dispatch has committed. */
async function withWrites(facts: Facts): Promise<StatusFacts & { readonly intervalHours: number }> {
  const requirers = await Promise.all(
    facts.requirers.map(async (requirer) => ({
      ...requirer,
      published: await requirer.relation.ourUnitData(),
    })),
  );
  return { ...facts, requirers, intervalHours: facts.config.intervalHours };
}
