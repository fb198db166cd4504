/** The fake controller: one model, its agents, and everything an admin can do to them. */
import { join, resolve } from "node:path";
import { AgentPool } from "./agents.ts";
import type { LogRecord } from "./commands/command.ts";
import { applicationMethods } from "./controller/applications.ts";
import { charmStore } from "./controller/charm-store.ts";
import { agentsFolder, type Controller } from "./controller/controller.ts";
import { relationMethods } from "./controller/relations.ts";
import { secretMethods } from "./controller/secrets.ts";
import { taskMethods } from "./controller/tasks.ts";
import { unitMethods } from "./controller/units.ts";
import { Faults, type JournalEntry } from "./journal.ts";
import { thisMachine } from "./machine.ts";
import { versionOf, type Model } from "./model.ts";
import type { FakeJujuOptions } from "./options.ts";
import { installJujuExec } from "./programs.ts";
import { describeModel, type ModelStatus } from "./status.ts";

/** The account that `credential-get` shows when the caller names none. */
const INVENTED_CLOUD = {
  type: "openstack",
  name: "lab",
  region: "RegionOne",
  endpoint: "http://127.0.0.1:5000/v3",
  "is-controller-cloud": false,
  credential: { "auth-type": "userpass", attrs: { username: "juju", password: "juju-pass" } },
};

/**
 * An in-memory Juju controller with real agents' behaviour. Changes are queued; `settle` awaits their hooks.
 * Dispose of it to end all processes and sockets.
 */
export type FakeJuju = Awaited<ReturnType<typeof startController>>;

/** Makes fakes. */
export const FakeJuju = {
  /** Starts a controller with an empty model. */
  start: startController,
};

async function startController(options: FakeJujuOptions) {
  const directory = resolve(options.directory);
  const model: Model = {
    ...options.model,
    version: options.version,
    applications: new Map(),
    relations: new Map(),
    secrets: new Map(),
    cloud: options.cloud ?? INVENTED_CLOUD,
    storageDirectory: join(directory, "storage"),
    nextStorage: 0,
  };
  const machine = options.machine ?? thisMachine;
  const root = options.machine === undefined ? directory : "/";
  const [faults, charms] = [new Faults(), charmStore(model, machine, join(directory, "charms"))];
  const journal: JournalEntry[] = [];
  const logs: LogRecord[] = [];
  const agents = new AgentPool({
    model,
    machine,
    extraEnvironment: options.extraEnvironment ?? {},
    faults,
    journal,
    log: (record) => {
      logs.push(record);
      options.log?.(record);
    },
    placeCharm: charms.place,
  });
  const numbers = { machine: 0, relation: 0, action: 1 };
  const controller: Controller = { root, machine, model, agents, charms, faults, journal, logs, numbers };
  const agentsDirectory = agentsFolder(root);
  const execPath = join(root, "bin", versionOf(model)[0] < 3 ? "juju-run" : "juju-exec");
  await machine.makeFolder(agentsDirectory);
  for (const path of new Set([execPath, options.installExecAt ?? execPath]))
    await installJujuExec(machine, path, agentsDirectory);
  return {
    ...applicationMethods(controller),
    ...relationMethods(controller),
    ...secretMethods(controller),
    ...unitMethods(controller),
    ...taskMethods(controller),
    /** Where the agents' folders lie: `unit-<app>-<n>/charm` and the sockets. */
    agentsDirectory,
    /** The program that stands for `/usr/bin/juju-exec` (2.9: `juju-run`). */
    execPath,
    /** The charm's folder of a unit. */
    charmDirectory: (unit: string): string => agents.get(unit).state.charmDirectory,
    /**
     * Waits until no hook, action or command is queued or running (60 s without a `signal`); a failed hook that
     * waits for its retry counts as settled. Throws what still runs when `signal` fires.
     */
    async settle({
      signal = AbortSignal.timeout(60_000),
    }: { readonly signal?: AbortSignal } = {}): Promise<void> {
      await agents.settle(signal);
    },
    /** Everything `juju status` shows, and more, as plain data. */
    status: (): ModelStatus => describeModel(model),
    /** The log, oldest first. */
    logs: (): readonly LogRecord[] => logs,
    /** Every call of a hook command, oldest first. */
    journal: (): readonly JournalEntry[] => journal,
    async [Symbol.asyncDispose](): Promise<void> {
      await agents.stop();
    },
  };
}
