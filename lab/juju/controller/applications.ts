/** What an admin does to applications: deploy, scale, configure, trust, refresh. */
import { join, resolve } from "node:path";
import { AppError } from "../../../src/base/errors.ts";
import { newAgentState } from "../agent-state.ts";
import type { ConfigValue } from "../charm.ts";
import { commandNames } from "../commands/run.ts";
import { ownSide, type Application } from "../model.ts";
import * as operations from "../operations.ts";
import { applicationNamed, unitNamed } from "../operations.ts";
import type { DeployOptions } from "../options.ts";
import { linkHookCommands } from "../programs.ts";
import { addStorage } from "../storage.ts";
import { agentsFolder, takeNumber, type Controller } from "./controller.ts";

/** The admin's doings with applications, as methods of the fake. */
export function applicationMethods(controller: Controller) {
  const { agents, charms, machine: host, model, numbers, root } = controller;

  const addPeers = (application: Application): void => {
    for (const endpoint of application.endpoints.values()) {
      if (endpoint.role !== "peers") continue;
      const relations = [...model.relations.values()];
      if (relations.some((relation) => ownSide(relation, application)?.endpoint.name === endpoint.name))
        continue;
      operations.addPeerRelation(model, takeNumber(numbers, "relation"), application, endpoint);
    }
  };

  const addUnits = async (name: string, count: number, machine?: string): Promise<void> => {
    const application = applicationNamed(model, name);
    for (let added = 0; added < count; added += 1) {
      const folder = `unit-${name}-${application.nextUnit}`;
      const agentDirectory = join(agentsFolder(root), folder);
      const tools = join(root, "var/lib/juju/tools", folder);
      const state = newAgentState(agentDirectory, join(agentDirectory, "charm"), tools);
      const number = machine ?? String(takeNumber(numbers, "machine"));
      const unit = operations.addUnit(application, number, state);
      await host.makeFolder(agentDirectory);
      await linkHookCommands(host, tools, commandNames(model));
      await charms.place(unit, state);
      for (const { name: storage, least } of unit.charm?.storage.values() ?? [])
        addStorage(model, unit, storage, least);
      await agents.add(unit, state);
    }
    agents.wake();
  };

  const setResource = (application: Application, name: string, file: string): void => {
    if (application.charm?.resources.has(name) !== true)
      throw new AppError(`cannot attach resource ${name}: ${application.name} declares no such resource`);
    application.resources.set(name, resolve(file));
  };

  return {
    /** Deploys a charm and queues its first hooks; peer relations come by themselves. Throws when charm or config do not fit. */
    async deploy(name: string, options: DeployOptions): Promise<void> {
      const source = await charms.open(resolve(options.charm));
      const charm = await charms.read(source);
      const application = operations.addApplication(model, name, charm.endpoints.values());
      application.charm = charm;
      application.charmDirectory = source;
      application.trusted = options.trust === true;
      if (options.link === true) charms.link(name);
      try {
        operations.setOptions(application, options.config ?? {});
        for (const [resource, file] of Object.entries(options.resources ?? {}))
          setResource(application, resource, file);
      } catch (error) {
        model.applications.delete(name);
        throw error;
      }
      addPeers(application);
      await addUnits(name, options.units ?? 1, options.machine);
    },

    /** Adds units to a deployed application, each on a machine of its own where none is given; the first one leads. */
    addUnits,

    /** Removes a unit. One with an agent goes through departed, broken, stop, remove; a scripted one leaves at once. */
    async removeUnit(name: string): Promise<void> {
      const unit = unitNamed(model, name);
      unit.dying = true;
      if (unit.agent === undefined) operations.removeUnitNow(model, unit);
      agents.wake();
    },

    /** Sets config options; `config-changed` follows when something differs. Throws for unknown options and misfits. */
    async setConfig(name: string, values: Readonly<Record<string, ConfigValue>>): Promise<void> {
      operations.setOptions(applicationNamed(model, name), values);
      agents.wake();
    },

    /** Sets options back to their defaults. */
    async resetConfig(name: string, options: readonly string[]): Promise<void> {
      operations.resetOptions(applicationNamed(model, name), options);
      agents.wake();
    },

    /** `juju trust`, or with `trusted: false` its taking back; `config-changed` follows a change. */
    trust(name: string, { trusted = true }: { readonly trusted?: boolean } = {}): void {
      const application = applicationNamed(model, name);
      if (application.trusted === trusted) return;
      application.trusted = trusted;
      application.configVersion += 1;
      agents.wake();
    },

    /** Gives a declared resource a new file: `upgrade-charm` and `config-changed` follow, as after a refresh. */
    attachResource(name: string, resource: string, file: string): void {
      const application = applicationNamed(model, name);
      setResource(application, resource, file);
      application.charmVersion += 1;
      agents.wake();
    },

    /**
     * Replaces the charm of an application (`juju refresh`): each unit gets the files between two hooks, then runs
     * `upgrade-charm` and `config-changed`. A unit in error gets them after its recovery, with `forceUnits` at once.
     */
    async upgradeCharm(
      name: string,
      path: string,
      { forceUnits = false }: { readonly forceUnits?: boolean } = {},
    ): Promise<void> {
      const application = applicationNamed(model, name);
      const source = await charms.open(resolve(path));
      application.charm = await charms.read(source);
      application.charmDirectory = source;
      application.endpoints.clear();
      for (const [endpoint, declared] of application.charm.endpoints)
        application.endpoints.set(endpoint, declared);
      application.charmVersion += 1;
      addPeers(application);
      for (const unit of forceUnits ? application.units.values() : []) {
        if (unit.agent?.failed !== undefined) await charms.place(unit, unit.agent);
      }
      agents.wake();
    },
  };
}
