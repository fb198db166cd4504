/** What happens to single units and their machines: the clock, leadership, reboots, addresses, storage, faults. */
import { AppError } from "../../../src/base/errors.ts";
import type { Fault } from "../journal.ts";
import { findUnit, moveUnit, versionOf } from "../model.ts";
import { applicationNamed, unitNamed } from "../operations.ts";
import { addStorage, refusedStorage } from "../storage.ts";
import type { Controller } from "./controller.ts";

/** What happens to units, as methods of the fake. */
export function unitMethods({ agents, faults, model }: Controller) {
  return {
    /** Queues `update-status`, which runs after everything else. */
    async updateStatus(unit: string): Promise<void> {
      agents.get(unit).state.updateStatusDue += 1;
      agents.wake();
    },

    /** Makes `unit` the leader, even in the middle of a hook. */
    setLeader(unit: string): void {
      unitNamed(model, unit).application.leader = unit;
      agents.wake();
    },

    /** Takes leadership from every unit of an application. */
    clearLeader(application: string): void {
      applicationNamed(model, application).leader = undefined;
      agents.wake();
    },

    /** Gives the unit's machine another address: `config-changed` here, `relation-changed` at the other ends. */
    setAddress(unit: string, address: string): void {
      moveUnit(model, unitNamed(model, unit), address);
      agents.wake();
    },

    /** Adds storage to a unit (`juju add-storage`): `storage-attached` follows. */
    addStorage(unit: string, name: string, count = 1): void {
      const known = unitNamed(model, unit);
      const refused = refusedStorage(known, new Map([[name, count]]));
      if (refused !== undefined) throw new AppError(refused);
      addStorage(model, known, name, count);
      agents.wake();
    },

    /** Detaches a storage instance (`data/0`): `storage-detaching` follows. */
    detachStorage(unit: string, id: string): void {
      const instance = unitNamed(model, unit).storage.get(id);
      if (instance === undefined) throw new AppError(`cannot detach ${id}: ${unit} has no such storage`);
      instance.dying = true;
      agents.wake();
    },

    /** Starts the upgrade of the machine's base (`ubuntu@24.04`): `pre-series-upgrade`, then no hook until {@link completeSeriesUpgrade}. */
    prepareSeriesUpgrade(unit: string, base: string): void {
      const [major] = versionOf(model);
      if (major > 3)
        throw new AppError(`cannot upgrade the series of ${unit}: Juju ${major} has no such hooks`);
      agents.get(unit).state.series = { base, phase: "preparing" };
      agents.wake();
    },

    /** Ends the upgrade of the machine's base: `post-series-upgrade`. */
    completeSeriesUpgrade(unit: string): void {
      const { series } = agents.get(unit).state;
      if (series?.phase !== "prepared")
        throw new AppError(`cannot complete the series upgrade of ${unit}: it is not prepared`);
      series.phase = "completing";
      agents.wake();
    },

    /** The unit's machine starts again: the running processes of its units are killed, `start` follows on each. */
    async reboot(unit: string): Promise<void> {
      const { machine } = unitNamed(model, unit);
      for (const agent of agents.all()) {
        if (findUnit(model, agent.unit.name)?.machine !== machine) continue;
        agent.kill("SIGKILL");
        agent.state.startAgain = agent.state.started;
      }
      agents.wake();
    },

    /** Sends a signal to the process that the unit's agent runs now; false when it runs none. */
    killHook: (unit: string, signal: NodeJS.Signals): boolean => agents.get(unit).kill(signal),

    /** `juju resolve`: runs the failed hook again, or skips it (`retry: false`). */
    async resolve(unit: string, { retry = true }: { readonly retry?: boolean } = {}): Promise<void> {
      agents.resolve(unit, retry);
    },

    /** Lets virtual time pass: failed hooks whose delay is over run again, and `update-status` where 5 minutes are over. */
    async advance(ms: number): Promise<void> {
      agents.advance(ms);
    },

    /** Puts a fault into a hook command; the returned function takes it away. */
    injectFault: (fault: Fault): (() => void) => faults.add(fault),

    /** Makes the controller refuse the unit's next commit. */
    failNextCommit(unit: string, message: string): void {
      agents.get(unit).failNextCommit(message);
    },
  };
}
