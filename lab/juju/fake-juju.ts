/** The fake controller: one model, its agents, and everything an admin can do to them. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError } from "../../src/base/errors.ts";
import { pause } from "../../src/base/deadline.ts";
import { newAgentState, type AgentState } from "./agent-state.ts";
import { actionParameters, checkConfigValue, readCharm, type ConfigValue, type Endpoint } from "./charm.ts";
import { placeCharm } from "./charm-files.ts";
import type { LogRecord } from "./commands/command.ts";
import { commandNames, type Outcome } from "./commands/run.ts";
import { applicationBag } from "./context.ts";
import { collectRelation, leaveScope } from "./hook-effects.ts";
import { Faults, type Fault, type JournalEntry } from "./journal.ts";
import { Lock } from "./lock.ts";
import { applyChanges, enterScope, findUnit, ownSide, statusNow, versionOf } from "./model.ts";
import type { Application, Model, Relation, Unit } from "./model.ts";
import { installJujuExec, linkHookCommands } from "./programs.ts";
import { addRevision, encodeContent, newSecretId, secretId, type Secret } from "./secrets.ts";
import { UnitAgent, type Surroundings } from "./unit-agent.ts";
import { describeModel, type ModelStatus } from "./status.ts";

/** How to start the fake. */
export interface FakeJujuOptions {
  /** A folder of its own, short enough for unix sockets in it (about 60 characters); left behind at the end. */
  readonly directory: string;
  readonly model: { readonly name: string; readonly uuid: string };
  /** The agents' version: `2.9.50`, `3.6.9`, `4.0.0`. */
  readonly version: string;
  /** The one departure from Juju: variables that every charm process gets; `PATH` goes behind the tools' folder. */
  readonly extraEnvironment?: Readonly<Record<string, string>>;
  /** A second place for juju-exec, such as `<root>/usr/bin/juju-exec`. */
  readonly installExecAt?: string;
  readonly log?: (record: LogRecord) => void;
}

/** How to deploy a charm. */
export interface DeployOptions {
  /** The unpacked charm. */
  readonly charm: string;
  readonly units?: number;
  readonly config?: Readonly<Record<string, ConfigValue>>;
  /** Link the charm's folder instead of copying it for each unit. */
  readonly link?: boolean;
  /** Put all units on this machine; without it each gets one of its own. */
  readonly machine?: string;
}

/** How an action ended. Results hold what the charm set, and `return-code`, `stdout`, `stderr`. */
export interface ActionOutcome {
  readonly status: "completed" | "failed" | "error";
  readonly message: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly log: readonly string[];
}

const RETRY_FIRST_MS = 5_000;
const RETRY_LONGEST_MS = 300_000;
const UPDATE_STATUS_MS = 300_000;

/** An in-memory Juju controller with real agents' behaviour. Changes are queued; {@link FakeJuju.settle} awaits their hooks. */
export class FakeJuju implements AsyncDisposable {
  readonly #options: FakeJujuOptions;
  readonly #model: Model;
  readonly #agents = new Map<string, UnitAgent>();
  readonly #locks = new Map<string, Lock>();
  readonly #faults = new Faults();
  readonly #journal: JournalEntry[] = [];
  readonly #logs: LogRecord[] = [];
  readonly #problems: unknown[] = [];
  readonly #links = new Map<string, boolean>();
  readonly #files = new Map<string, ReadonlySet<string>>();
  readonly #retries = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  readonly #around: Surroundings;
  #now = 0;
  #nextMachine = 0;
  #nextRelation = 0;
  #nextAction = 1;
  #stopped = false;

  private constructor(options: FakeJujuOptions) {
    this.#options = options;
    this.#model = {
      ...options.model,
      version: options.version,
      applications: new Map(),
      relations: new Map(),
      secrets: new Map(),
    };
    this.#around = {
      model: this.#model,
      extraEnvironment: options.extraEnvironment ?? {},
      faults: this.#faults,
      journal: this.#journal,
      log: (record) => {
        this.#logs.push(record);
        options.log?.(record);
      },
      lock: (machine) => {
        const lock = this.#locks.get(machine) ?? new Lock();
        this.#locks.set(machine, lock);
        return lock;
      },
      changed: () => this.#changed(),
      placeCharm: async (unit, agent) => this.#place(unit, agent),
      failedHook: (unit, agent) => {
        agent.failures += 1;
        const delay = Math.min(RETRY_FIRST_MS * 2 ** (agent.failures - 1), RETRY_LONGEST_MS);
        this.#retries.set(unit.name, this.#now + delay);
      },
      report: (error) => {
        this.#problems.push(error);
        this.#changed();
      },
    };
  }

  /** Starts a controller with an empty model; dispose of it to end all processes and sockets. */
  static async start(options: FakeJujuOptions): Promise<FakeJuju> {
    const juju = new FakeJuju({ ...options, directory: resolve(options.directory) });
    await mkdir(juju.agentsDirectory, { recursive: true });
    await installJujuExec(juju.execPath, juju.agentsDirectory);
    if (options.installExecAt !== undefined)
      await installJujuExec(options.installExecAt, juju.agentsDirectory);
    return juju;
  }

  /** Where the agents' folders lie: `unit-<app>-<n>/charm` and the sockets. */
  get agentsDirectory(): string {
    return join(this.#options.directory, "var/lib/juju/agents");
  }

  /** The program that stands for `/usr/bin/juju-exec` (2.9: `juju-run`). */
  get execPath(): string {
    const name = versionOf(this.#model)[0] < 3 ? "juju-run" : "juju-exec";
    return join(this.#options.directory, "bin", name);
  }

  /** The charm's folder of a unit. */
  charmDirectory(unit: string): string {
    return this.#agent(unit).state.charmDirectory;
  }

  /** Deploys a charm and queues its first hooks. Throws when the charm or the config does not fit. */
  async deploy(name: string, options: DeployOptions): Promise<void> {
    if (this.#model.applications.has(name)) throw new AppError(`cannot deploy ${name}: it is there already`);
    const source = resolve(options.charm);
    const charm = await readCharm(source, versionOf(this.#model)[0]);
    const application = newApplication(name, [...charm.endpoints.values()]);
    application.charm = charm;
    application.charmDirectory = source;
    this.#links.set(name, options.link === true);
    setOptions(application, options.config ?? {});
    this.#model.applications.set(name, application);
    await this.addUnits(name, options.units ?? 1, options.machine);
  }

  /** Adds units to a deployed application; the first one leads. */
  async addUnits(name: string, count: number, machine?: string): Promise<void> {
    const application = this.#application(name);
    for (let added = 0; added < count; added += 1) {
      const folder = `unit-${name}-${application.nextUnit}`;
      const directory = join(this.agentsDirectory, folder);
      const tools = join(this.#options.directory, "var/lib/juju/tools", folder);
      const state = newAgentState(directory, join(directory, "charm"), tools);
      const unit = this.#newUnit(application, machine, state);
      await mkdir(directory, { recursive: true });
      await linkHookCommands(tools, commandNames(this.#model));
      await this.#place(unit, state);
      const agent = new UnitAgent(unit, state, this.#around);
      await agent.start();
      this.#agents.set(unit.name, agent);
    }
    this.#changed();
  }

  /** Adds an application without a charm, whose databags the caller writes. Its units are in every relation's scope at once. */
  addScriptedApplication(
    name: string,
    options: {
      readonly endpoints: Readonly<
        Record<string, { readonly interface: string; readonly role: Endpoint["role"] }>
      >;
      readonly units: number;
    },
  ): void {
    if (this.#model.applications.has(name)) throw new AppError(`cannot add ${name}: it is there already`);
    const endpoints = Object.entries(options.endpoints).map(([endpoint, rest]) => ({
      name: endpoint,
      ...rest,
    }));
    const application = newApplication(name, endpoints);
    this.#model.applications.set(name, application);
    for (let unit = 0; unit < options.units; unit += 1) this.#newUnit(application, undefined, undefined);
  }

  /** Adds one more unit to a scripted application, in the scope of all its relations; gives its name. */
  addScriptedUnit(name: string): string {
    const application = this.#application(name);
    if (application.charm !== undefined)
      throw new AppError(`cannot add a scripted unit to ${name}: it has a charm`);
    const unit = this.#newUnit(application, undefined, undefined);
    for (const relation of this.#model.relations.values()) {
      if (ownSide(relation, application) !== undefined && !relation.dying) enterScope(relation, unit);
    }
    this.#changed();
    return unit.name;
  }

  #newUnit(application: Application, machine: string | undefined, agent: AgentState | undefined): Unit {
    const number = this.#nextMachine;
    if (machine === undefined) this.#nextMachine += 1;
    const status = statusNow("waiting", "installing agent");
    const unit: Unit = {
      name: `${application.name}/${application.nextUnit}`,
      application,
      machine: machine ?? String(number),
      address: `10.0.${Math.floor(number / 250)}.${(number % 250) + 1}`,
      status,
      statusHistory: [status],
      agentStatus: statusNow("allocating"),
      dying: false,
      state: new Map(),
      ports: [],
      agent,
    };
    application.nextUnit += 1;
    application.units.set(unit.name, unit);
    application.leader ??= unit.name;
    return unit;
  }

  /** Sets config options; `config-changed` follows when something differs. Throws for unknown options and misfits. */
  async setConfig(name: string, values: Readonly<Record<string, ConfigValue>>): Promise<void> {
    setOptions(this.#application(name), values);
    this.#changed();
  }

  /** Sets options back to their defaults. */
  async resetConfig(name: string, options: readonly string[]): Promise<void> {
    const application = this.#application(name);
    let removed = false;
    for (const option of options) removed = application.config.delete(option) || removed;
    if (removed) application.configVersion += 1;
    this.#changed();
  }

  /** Relates two endpoints (`app:endpoint`), or one peer endpoint with itself; gives the relation's id. */
  async relate(a: string, b: string): Promise<number> {
    const sides = [...new Set([a, b])].map((text) => {
      const [name = "", endpointName = ""] = text.split(":");
      const application = this.#application(name);
      const endpoint = application.endpoints.get(endpointName);
      if (endpoint === undefined)
        throw new AppError(`cannot relate ${text}: ${name} has no endpoint "${endpointName}"`);
      return { application, endpoint };
    });
    const [first, second] = sides;
    if (first === undefined) throw new AppError("cannot relate nothing");
    if (second !== undefined && first.endpoint.interface !== second.endpoint.interface) {
      throw new AppError(
        `cannot relate ${a} with ${b}: ${first.endpoint.interface} is not ${second.endpoint.interface}`,
      );
    }
    if (second !== undefined && first.endpoint.role === second.endpoint.role) {
      throw new AppError(`cannot relate ${a} with ${b}: both are of role ${first.endpoint.role}`);
    }
    const relation: Relation = {
      id: this.#nextRelation,
      sides: second === undefined ? [first] : [first, second],
      members: new Map(),
      applicationData: new Map(),
      dying: false,
    };
    this.#nextRelation += 1;
    this.#model.relations.set(relation.id, relation);
    for (const { application } of relation.sides) {
      for (const unit of application.units.values()) if (unit.agent === undefined) enterScope(relation, unit);
    }
    this.#changed();
    return relation.id;
  }

  /** Ends a relation: departed and broken follow on every unit with an agent. */
  async removeRelation(id: number): Promise<void> {
    const relation = this.#relation(id);
    relation.dying = true;
    for (const name of relation.members.keys()) {
      if (findUnit(this.#model, name)?.agent === undefined) leaveScope(relation, name);
    }
    collectRelation(this.#model, relation);
    this.#changed();
  }

  /** Merges `data` into a scripted unit's databag; the empty text deletes a key. */
  setUnitData(relationId: number, unit: string, data: Readonly<Record<string, string>>): void {
    const member = this.#relation(relationId).members.get(unit);
    if (member === undefined)
      throw new AppError(`cannot set data of ${unit}: it is not in relation ${relationId}`);
    applyChanges(member, new Map(Object.entries(data)));
    this.#changed();
  }

  /** Merges `data` into an application's databag; the empty text deletes a key. */
  setApplicationData(relationId: number, application: string, data: Readonly<Record<string, string>>): void {
    applyChanges(applicationBag(this.#relation(relationId), application), new Map(Object.entries(data)));
    this.#changed();
  }

  /** What others see in a unit's databag; empty before it has entered the scope. */
  unitData(relationId: number, unit: string): Record<string, string> {
    return Object.fromEntries(this.#relation(relationId).members.get(unit)?.data ?? []);
  }

  /** What is in an application's databag. */
  applicationData(relationId: number, application: string): Record<string, string> {
    return Object.fromEntries(this.#relation(relationId).applicationData.get(application)?.data ?? []);
  }

  /** The relations there are, oldest first. */
  relationIds(): readonly number[] {
    return [...this.#model.relations.keys()];
  }

  /** Runs an action and awaits its end. Parameters that don't fit give the status `error` and no run. */
  async runAction(
    unit: string,
    name: string,
    parameters: Readonly<Record<string, unknown>> = {},
  ): Promise<ActionOutcome> {
    const agent = this.#agent(unit);
    const action = agent.unit.application.charm?.actions.get(name);
    if (action === undefined) throw new AppError(`action "${name}" not defined on unit "${unit}"`);
    const run = { id: String(this.#nextAction), name, results: {}, log: [], failure: undefined };
    this.#nextAction += 1;
    let complete: Record<string, unknown>;
    try {
      complete = actionParameters(action, parameters);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { status: "error", message: error.message, results: {}, log: [] };
    }
    const full = { ...run, parameters: complete };
    const end = await new Promise<Pick<ActionOutcome, "status" | "message">>((done) => {
      agent.queueAction({ run: full, parallel: action.parallel, done });
    });
    return { ...end, results: full.results, log: full.log };
  }

  /** Runs `commands` as juju-exec does on the unit's machine: bash in the charm's folder; commits whatever the exit code. */
  async exec(
    unit: string,
    commands: string,
    options: { readonly relation?: string; readonly remoteUnit?: string; readonly force?: boolean } = {},
  ): Promise<Outcome> {
    const { relation = "", remoteUnit = "", force = false } = options;
    return await this.#agent(unit).exec({ commands, relation, remoteUnit, force, context: true });
  }

  /** Adds a user secret; gives its URI. */
  addSecret(content: Readonly<Record<string, string>>): string {
    const secret: Secret = {
      id: newSecretId(),
      owner: { kind: "user", name: this.#model.name },
      metadata: { label: "", description: "", rotate: "never", expire: "" },
      revisions: new Map([[1, encodeContent(Object.entries(content))]]),
      latest: 1,
      grants: new Map(),
      consumers: new Map(),
    };
    this.#model.secrets.set(secret.id, secret);
    return `secret:${secret.id}`;
  }

  /** Adds a revision; units that track an older one get `secret-changed`. */
  updateSecret(uri: string, content: Readonly<Record<string, string>>): void {
    addRevision(this.#secret(uri), encodeContent(Object.entries(content)));
    this.#changed();
  }

  /** Lets an application read a user secret. No hook follows. */
  grantSecret(uri: string, application: string): void {
    this.#secret(uri).grants.set(this.#application(application).name, undefined);
  }

  /** Takes the right to read away. No hook follows. */
  revokeSecret(uri: string, application: string): void {
    this.#secret(uri).grants.delete(application);
  }

  /** Removes a secret with all revisions. */
  removeSecret(uri: string): void {
    this.#model.secrets.delete(this.#secret(uri).id);
    this.#changed();
  }

  /** The newest content of a secret, decoded. */
  secretContent(uri: string): Record<string, string> {
    const secret = this.#secret(uri);
    return Object.fromEntries(
      [...(secret.revisions.get(secret.latest) ?? [])].map(([key, text]) => [
        key,
        Buffer.from(text, "base64").toString(),
      ]),
    );
  }

  /** The URIs of all secrets that an application or its units own. */
  ownedSecrets(application: string): readonly string[] {
    return [...this.#model.secrets.values()]
      .filter(({ owner }) => owner.kind !== "user" && owner.name.replace(/\/.*$/, "") === application)
      .map(({ id }) => `secret:${id}`);
  }

  /** Tells the secret's owner to rotate it (`secret-rotate`). */
  rotateSecret(uri: string): void {
    const { id } = this.#secret(uri);
    for (const agent of this.#managers(uri)) agent.state.rotationsDue.add(id);
    this.#changed();
  }

  /** Tells the secret's owner that the newest revision has expired (`secret-expired`). */
  expireSecret(uri: string): void {
    const { id, latest } = this.#secret(uri);
    for (const agent of this.#managers(uri)) agent.state.expiriesDue.set(id, latest);
    this.#changed();
  }

  #managers(uri: string): readonly UnitAgent[] {
    const { kind, name } = this.#secret(uri).owner;
    const unit = kind === "unit" ? name : this.#model.applications.get(name)?.leader;
    return [...this.#agents.values()].filter((agent) => agent.unit.name === unit);
  }

  /** Queues `update-status`, which runs after everything else. */
  async updateStatus(unit: string): Promise<void> {
    this.#agent(unit).state.updateStatusDue = true;
    this.#changed();
  }

  /** Makes `unit` the leader, even in the middle of a hook. */
  setLeader(unit: string): void {
    this.#unit(unit).application.leader = unit;
    this.#changed();
  }

  /** Takes leadership from every unit of an application. */
  clearLeader(application: string): void {
    this.#application(application).leader = undefined;
    this.#changed();
  }

  /** Removes a unit. One with an agent goes through departed, broken, stop, remove; a scripted one leaves at once. */
  async removeUnit(name: string): Promise<void> {
    const unit = this.#unit(name);
    unit.dying = true;
    if (unit.agent === undefined) this.#forget(unit);
    this.#changed();
  }

  #forget(unit: Unit): void {
    for (const relation of this.#model.relations.values()) {
      leaveScope(relation, unit.name);
      collectRelation(this.#model, relation);
    }
    const { application } = unit;
    application.units.delete(unit.name);
    if (application.leader === unit.name) application.leader = application.units.keys().next().value;
  }

  /** Replaces the charm of an application: `upgrade-charm`, then `config-changed` on every unit. */
  async upgradeCharm(name: string, directory: string): Promise<void> {
    const application = this.#application(name);
    const source = resolve(directory);
    application.charm = await readCharm(source, versionOf(this.#model)[0]);
    application.charmDirectory = source;
    application.endpoints.clear();
    for (const [endpoint, declared] of application.charm.endpoints)
      application.endpoints.set(endpoint, declared);
    application.charmVersion += 1;
    this.#changed();
  }

  async #place(unit: Unit, agent: AgentState): Promise<void> {
    const { application } = unit;
    const link = this.#links.get(application.name) === true;
    const before = this.#files.get(unit.name) ?? new Set<string>();
    if (application.charmDirectory === undefined) return;
    this.#files.set(
      unit.name,
      await placeCharm(application.charmDirectory, agent.charmDirectory, link, before),
    );
  }

  /** The unit's machine starts again: its running process is killed, `start` follows. */
  async reboot(unit: string): Promise<void> {
    const agent = this.#agent(unit);
    agent.kill("SIGKILL");
    if (agent.state.started) agent.state.startAgain = true;
    this.#changed();
  }

  /** Sends a signal to the process that the unit's agent runs now; false when it runs none. */
  killHook(unit: string, signal: NodeJS.Signals): boolean {
    return this.#agent(unit).kill(signal);
  }

  /** `juju resolve`: runs the failed hook again, or skips it (`retry: false`). */
  async resolve(unit: string, { retry = true }: { readonly retry?: boolean } = {}): Promise<void> {
    const { state } = this.#agent(unit);
    if (state.failed === undefined) throw new AppError(`cannot resolve ${unit}: it is not in an error state`);
    this.#retries.delete(unit);
    if (retry) state.retry = true;
    else this.#agent(unit).skipFailed();
    this.#changed();
  }

  /** Lets virtual time pass: failed hooks whose delay is over run again, and `update-status` where 5 minutes are over. */
  async advance(ms: number): Promise<void> {
    const before = this.#now;
    this.#now += ms;
    for (const [unit, at] of this.#retries) {
      if (at > this.#now) continue;
      this.#retries.delete(unit);
      const { state } = this.#agent(unit);
      if (state.failed !== undefined) state.retry = true;
    }
    if (Math.floor(before / UPDATE_STATUS_MS) < Math.floor(this.#now / UPDATE_STATUS_MS)) {
      for (const { state } of this.#agents.values()) state.updateStatusDue = true;
    }
    this.#changed();
  }

  /** Puts a fault into a hook command; the returned function takes it away. */
  injectFault(fault: Fault): () => void {
    return this.#faults.add(fault);
  }

  /** Makes the controller refuse the unit's next commit. */
  failNextCommit(unit: string, message: string): void {
    this.#agent(unit).failNextCommit(message);
  }

  /**
   * Waits until no hook, action or command is queued or running; a failed hook that waits for its retry counts
   * as settled. Throws what is still running when `signal` fires, and the fake's own faults.
   */
  async settle({
    signal = AbortSignal.timeout(60_000),
  }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    for (;;) {
      this.#throwProblems();
      const busy = [...this.#agents.values()].filter((agent) => agent.busy);
      if (busy.length === 0) return;
      const wakeUp = new AbortController();
      const wake = (): void => wakeUp.abort();
      this.#waiters.add(wake);
      try {
        await pause(2 ** 30, AbortSignal.any([signal, wakeUp.signal]));
      } catch (error) {
        if (!wakeUp.signal.aborted) {
          const doing = busy.map((agent) => `${agent.unit.name} (${agent.doing})`).join(", ");
          throw new AppError(`cannot settle: still busy: ${doing}`, { cause: error });
        }
      } finally {
        this.#waiters.delete(wake);
      }
    }
  }

  /** Everything `juju status` shows, and more, as plain data. */
  status(): ModelStatus {
    return describeModel(this.#model);
  }

  /** The log, oldest first. */
  logs(): readonly LogRecord[] {
    return this.#logs;
  }

  /** Every call of a hook command, oldest first. */
  journal(): readonly JournalEntry[] {
    return this.#journal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await Promise.all([...this.#agents.values()].map(async (agent) => agent.stop()));
    this.#throwProblems();
  }

  #throwProblems(): void {
    const [problem] = this.#problems.splice(0);
    if (problem !== undefined) throw new AppError("the fake Juju itself failed", { cause: problem });
  }

  #changed(): void {
    if (this.#stopped) return;
    for (const agent of this.#agents.values()) {
      if (
        agent.state.removed &&
        this.#model.applications.get(agent.unit.application.name)?.units.has(agent.unit.name)
      ) {
        this.#forget(agent.unit);
      }
    }
    for (const agent of this.#agents.values()) agent.wake();
    for (const wake of this.#waiters) wake();
  }

  #application(name: string): Application {
    const application = this.#model.applications.get(name);
    if (application === undefined) throw new AppError(`application "${name}" not found`);
    return application;
  }

  #unit(name: string): Unit {
    const unit = findUnit(this.#model, name);
    if (unit === undefined) throw new AppError(`unit "${name}" not found`);
    return unit;
  }

  #agent(name: string): UnitAgent {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new AppError(`unit "${name}" not found, or it has no agent`);
    return agent;
  }

  #relation(id: number): Relation {
    const relation = this.#model.relations.get(id);
    if (relation === undefined) throw new AppError(`relation ${id} not found`);
    return relation;
  }

  #secret(uri: string): Secret {
    const secret = this.#model.secrets.get(secretId(uri));
    if (secret === undefined) throw new AppError(`secret "${uri}" not found`);
    return secret;
  }
}

function newApplication(name: string, endpoints: readonly Endpoint[]): Application {
  const status = statusNow("unset");
  return {
    name,
    charm: undefined,
    endpoints: new Map(endpoints.map((endpoint) => [endpoint.name, endpoint])),
    charmDirectory: undefined,
    config: new Map(),
    configVersion: 0,
    charmVersion: 0,
    units: new Map(),
    leader: undefined,
    status,
    statusHistory: [status],
    version: "",
    nextUnit: 0,
    leaderSettings: { data: new Map(), version: 0 },
  };
}

function setOptions(application: Application, values: Readonly<Record<string, ConfigValue>>): void {
  const checked = Object.entries(values).map(([name, value]): [string, ConfigValue] => {
    const option = application.charm?.options.get(name);
    if (option === undefined)
      throw new AppError(`unknown option "${name}" of application ${application.name}`);
    return [name, checkConfigValue(name, option.type, value)];
  });
  let changed = false;
  for (const [name, value] of checked) {
    const before = application.config.get(name) ?? application.charm?.options.get(name)?.default;
    application.config.set(name, value);
    changed = changed || before !== value;
  }
  if (changed) application.configVersion += 1;
}
