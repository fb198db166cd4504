/** The fake controller: one model, its agents, and everything an admin can do to them. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError } from "../../src/base/errors.ts";
import { newAgentState, type AgentState } from "./agent-state.ts";
import { AgentPool } from "./agents.ts";
import { actionParameters, readCharm, type Charm, type ConfigValue, type Endpoint } from "./charm.ts";
import { checkBases, placeCharm } from "./charm-files.ts";
import type { LogRecord } from "./commands/command.ts";
import { commandNames, type Outcome } from "./commands/run.ts";
import { applicationBag } from "./context.ts";
import { Faults, type Fault, type JournalEntry } from "./journal.ts";
import {
  applyChanges,
  enterScope,
  ownSide,
  versionOf,
  type Application,
  type Model,
  type Unit,
} from "./model.ts";
import * as operations from "./operations.ts";
import { applicationNamed, relationWith, secretAt, unitNamed } from "./operations.ts";
import type { ActionOutcome, DeployOptions, FakeJujuOptions } from "./options.ts";
import { installJujuExec, linkHookCommands } from "./programs.ts";
import { addRevision, decodeContent, encodeContent, newUserSecret } from "./secrets.ts";
import { describeModel, type ModelStatus } from "./status.ts";

/** An in-memory Juju controller with real agents' behaviour. Changes are queued; {@link FakeJuju.settle} awaits their hooks. */
export class FakeJuju implements AsyncDisposable {
  readonly #directory: string;
  readonly #model: Model;
  readonly #agents: AgentPool;
  readonly #faults = new Faults();
  readonly #journal: JournalEntry[] = [];
  readonly #logs: LogRecord[] = [];
  readonly #linked = new Set<string>();
  readonly #files = new Map<string, ReadonlySet<string>>();
  #nextMachine = 0;
  #nextRelation = 0;
  #nextAction = 1;

  private constructor(options: FakeJujuOptions) {
    this.#directory = options.directory;
    const { model, version } = options;
    this.#model = { ...model, version, applications: new Map(), relations: new Map(), secrets: new Map() };
    this.#agents = new AgentPool({
      model: this.#model,
      extraEnvironment: options.extraEnvironment ?? {},
      faults: this.#faults,
      journal: this.#journal,
      log: (record) => {
        this.#logs.push(record);
        options.log?.(record);
      },
      placeCharm: async (unit, agent) => this.#place(unit, agent),
    });
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
    return join(this.#directory, "var/lib/juju/agents");
  }

  /** The program that stands for `/usr/bin/juju-exec` (2.9: `juju-run`). */
  get execPath(): string {
    return join(this.#directory, "bin", versionOf(this.#model)[0] < 3 ? "juju-run" : "juju-exec");
  }

  /** The charm's folder of a unit. */
  charmDirectory(unit: string): string {
    return this.#agents.get(unit).state.charmDirectory;
  }

  /** Deploys a charm and queues its first hooks; peer relations come by themselves. Throws when charm or config do not fit. */
  async deploy(name: string, options: DeployOptions): Promise<void> {
    const source = resolve(options.charm);
    const charm = await this.#readCharm(source);
    const application = operations.addApplication(this.#model, name, charm.endpoints.values());
    application.charm = charm;
    application.charmDirectory = source;
    if (options.link === true) this.#linked.add(name);
    try {
      operations.setOptions(application, options.config ?? {});
    } catch (error) {
      this.#model.applications.delete(name);
      throw error;
    }
    this.#addPeers(application);
    await this.addUnits(name, options.units ?? 1, options.machine);
  }

  async #readCharm(source: string): Promise<Charm> {
    const [major] = versionOf(this.#model);
    if (major >= 4) await checkBases(source);
    return await readCharm(source, major);
  }

  #addPeers(application: Application): void {
    const relations = [...this.#model.relations.values()];
    for (const endpoint of application.endpoints.values()) {
      if (endpoint.role !== "peers") continue;
      if (relations.some((relation) => ownSide(relation, application)?.endpoint.name === endpoint.name))
        continue;
      operations.addPeerRelation(this.#model, this.#relationId(), application, endpoint);
    }
  }

  #relationId(): number {
    this.#nextRelation += 1;
    return this.#nextRelation - 1;
  }

  #machine(): string {
    this.#nextMachine += 1;
    return String(this.#nextMachine - 1);
  }

  /** Adds units to a deployed application, each on a machine of its own where none is given; the first one leads. */
  async addUnits(name: string, count: number, machine?: string): Promise<void> {
    const application = applicationNamed(this.#model, name);
    for (let added = 0; added < count; added += 1) {
      const folder = `unit-${name}-${application.nextUnit}`;
      const directory = join(this.agentsDirectory, folder);
      const tools = join(this.#directory, "var/lib/juju/tools", folder);
      const state = newAgentState(directory, join(directory, "charm"), tools);
      const unit = operations.addUnit(application, machine ?? this.#machine(), state);
      await mkdir(directory, { recursive: true });
      await linkHookCommands(tools, commandNames(this.#model));
      await this.#place(unit, state);
      await this.#agents.add(unit, state);
    }
    this.#agents.wake();
  }

  async #place({ name, application }: Unit, { charmDirectory }: AgentState): Promise<void> {
    if (application.charmDirectory === undefined) return;
    const link = this.#linked.has(application.name);
    const before = this.#files.get(name) ?? new Set<string>();
    this.#files.set(name, await placeCharm(application.charmDirectory, charmDirectory, link, before));
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
    const endpoints = Object.entries(options.endpoints).map(([endpoint, rest]) => ({
      name: endpoint,
      ...rest,
    }));
    const application = operations.addApplication(this.#model, name, endpoints);
    for (let added = 0; added < options.units; added += 1)
      operations.addUnit(application, this.#machine(), undefined);
  }

  /** Adds one more unit to a scripted application, in the scope of all its relations; gives its name. */
  addScriptedUnit(name: string): string {
    const application = applicationNamed(this.#model, name);
    if (application.charm !== undefined)
      throw new AppError(`cannot add a scripted unit to ${name}: it has a charm`);
    const unit = operations.addUnit(application, this.#machine(), undefined);
    for (const relation of this.#model.relations.values()) {
      if (ownSide(relation, application) !== undefined && !relation.dying) enterScope(relation, unit);
    }
    this.#agents.wake();
    return unit.name;
  }

  /** Sets config options; `config-changed` follows when something differs. Throws for unknown options and misfits. */
  async setConfig(name: string, values: Readonly<Record<string, ConfigValue>>): Promise<void> {
    operations.setOptions(applicationNamed(this.#model, name), values);
    this.#agents.wake();
  }

  /** Sets options back to their defaults. */
  async resetConfig(name: string, options: readonly string[]): Promise<void> {
    operations.resetOptions(applicationNamed(this.#model, name), options);
    this.#agents.wake();
  }

  /** Relates two endpoints (`app:endpoint`); gives the relation's id. */
  async relate(a: string, b: string): Promise<number> {
    const id = this.#relationId();
    operations.relate(this.#model, id, a, b);
    this.#agents.wake();
    return id;
  }

  /** Ends a relation: departed and broken follow on every unit with an agent. */
  async removeRelation(id: number): Promise<void> {
    operations.endRelation(this.#model, id);
    this.#agents.wake();
  }

  /** The relations there are, oldest first. */
  relationIds(): readonly number[] {
    return [...this.#model.relations.keys()];
  }

  /** Merges `data` into a scripted unit's databag; the empty text deletes a key. */
  setUnitData(relationId: number, unit: string, data: Readonly<Record<string, string>>): void {
    const member = relationWith(this.#model, relationId).members.get(unit);
    if (member === undefined)
      throw new AppError(`cannot set data of ${unit}: it is not in relation ${relationId}`);
    applyChanges(member, new Map(Object.entries(data)));
    this.#agents.wake();
  }

  /** Merges `data` into an application's databag; the empty text deletes a key. */
  setApplicationData(relationId: number, application: string, data: Readonly<Record<string, string>>): void {
    const bag = applicationBag(relationWith(this.#model, relationId), application);
    applyChanges(bag, new Map(Object.entries(data)));
    this.#agents.wake();
  }

  /** What others see in a unit's databag; empty before it has entered the scope. */
  unitData(relationId: number, unit: string): Record<string, string> {
    return Object.fromEntries(relationWith(this.#model, relationId).members.get(unit)?.data ?? []);
  }

  /** What is in an application's databag. */
  applicationData(relationId: number, application: string): Record<string, string> {
    return Object.fromEntries(
      relationWith(this.#model, relationId).applicationData.get(application)?.data ?? [],
    );
  }

  /** Runs an action and awaits its end. Parameters that don't fit give the status `error` and no run. */
  async runAction(
    unit: string,
    name: string,
    parameters: Readonly<Record<string, unknown>> = {},
  ): Promise<ActionOutcome> {
    const agent = this.#agents.get(unit);
    const action = agent.unit.application.charm?.actions.get(name);
    if (action === undefined) throw new AppError(`action "${name}" not defined on unit "${unit}"`);
    const checked = actionParameters(action, parameters);
    if (typeof checked === "string") return { status: "error", message: checked, results: {}, log: [] };
    const run = {
      id: String(this.#nextAction),
      name,
      parameters: checked,
      results: {},
      log: [],
      failure: undefined,
    };
    this.#nextAction += 1;
    const end = await new Promise<Pick<ActionOutcome, "status" | "message">>((done) => {
      agent.queueAction({ run, parallel: action.parallel, done });
    });
    return { ...end, results: run.results, log: run.log };
  }

  /** Runs `commands` as juju-exec does on the unit's machine: bash in the charm's folder; commits whatever the exit code. */
  async exec(
    unit: string,
    commands: string,
    options: { readonly relation?: string; readonly remoteUnit?: string; readonly force?: boolean } = {},
  ): Promise<Outcome> {
    const { relation = "", remoteUnit = "", force = false } = options;
    return await this.#agents.get(unit).exec({ commands, relation, remoteUnit, force, context: true });
  }

  /** Adds a user secret; gives its URI. */
  addSecret(content: Readonly<Record<string, string>>): string {
    const secret = newUserSecret(this.#model.name, encodeContent(Object.entries(content)));
    this.#model.secrets.set(secret.id, secret);
    return `secret:${secret.id}`;
  }

  /** Adds a revision; units that track an older one get `secret-changed`. */
  updateSecret(uri: string, content: Readonly<Record<string, string>>): void {
    addRevision(secretAt(this.#model, uri), encodeContent(Object.entries(content)));
    this.#agents.wake();
  }

  /** Lets an application read a user secret. No hook follows. */
  grantSecret(uri: string, application: string): void {
    secretAt(this.#model, uri).grants.set(applicationNamed(this.#model, application).name, undefined);
  }

  /** Takes the right to read away. No hook follows. */
  revokeSecret(uri: string, application: string): void {
    secretAt(this.#model, uri).grants.delete(application);
  }

  /** Removes a secret with all revisions. */
  removeSecret(uri: string): void {
    this.#model.secrets.delete(secretAt(this.#model, uri).id);
    this.#agents.wake();
  }

  /** The newest content of a secret, decoded. */
  secretContent(uri: string): Record<string, string> {
    const secret = secretAt(this.#model, uri);
    return decodeContent(secret.revisions.get(secret.latest) ?? new Map());
  }

  /** The URIs of all secrets that an application or its units own. */
  ownedSecrets(application: string): readonly string[] {
    return [...this.#model.secrets.values()]
      .filter(({ owner }) => owner.kind !== "user" && owner.name.replace(/\/.*$/, "") === application)
      .map(({ id }) => `secret:${id}`);
  }

  /** Tells the secret's owner to rotate it (`secret-rotate`). */
  rotateSecret(uri: string): void {
    this.#ownerAgent(uri)?.rotationsDue.add(secretAt(this.#model, uri).id);
    this.#agents.wake();
  }

  /** Tells the secret's owner that the newest revision has expired (`secret-expired`). */
  expireSecret(uri: string): void {
    const { id, latest } = secretAt(this.#model, uri);
    this.#ownerAgent(uri)?.expiriesDue.set(id, latest);
    this.#agents.wake();
  }

  #ownerAgent(uri: string): AgentState | undefined {
    const { kind, name } = secretAt(this.#model, uri).owner;
    const unit = kind === "unit" ? name : this.#model.applications.get(name)?.leader;
    return unit === undefined ? undefined : this.#agents.get(unit).state;
  }

  /** Queues `update-status`, which runs after everything else. */
  async updateStatus(unit: string): Promise<void> {
    this.#agents.get(unit).state.updateStatusDue = true;
    this.#agents.wake();
  }

  /** Makes `unit` the leader, even in the middle of a hook. */
  setLeader(unit: string): void {
    unitNamed(this.#model, unit).application.leader = unit;
    this.#agents.wake();
  }

  /** Takes leadership from every unit of an application. */
  clearLeader(application: string): void {
    applicationNamed(this.#model, application).leader = undefined;
    this.#agents.wake();
  }

  /** Removes a unit. One with an agent goes through departed, broken, stop, remove; a scripted one leaves at once. */
  async removeUnit(name: string): Promise<void> {
    const unit = unitNamed(this.#model, name);
    unit.dying = true;
    if (unit.agent === undefined) operations.removeUnitNow(this.#model, unit);
    this.#agents.wake();
  }

  /** Replaces the charm of an application: `upgrade-charm`, then `config-changed` on every unit. */
  async upgradeCharm(name: string, directory: string): Promise<void> {
    const application = applicationNamed(this.#model, name);
    const source = resolve(directory);
    application.charm = await this.#readCharm(source);
    application.charmDirectory = source;
    application.endpoints.clear();
    for (const [endpoint, declared] of application.charm.endpoints)
      application.endpoints.set(endpoint, declared);
    application.charmVersion += 1;
    this.#addPeers(application);
    this.#agents.wake();
  }

  /** The unit's machine starts again: its running process is killed, `start` follows. */
  async reboot(unit: string): Promise<void> {
    const agent = this.#agents.get(unit);
    agent.kill("SIGKILL");
    agent.state.startAgain = agent.state.started;
    this.#agents.wake();
  }

  /** Sends a signal to the process that the unit's agent runs now; false when it runs none. */
  killHook(unit: string, signal: NodeJS.Signals): boolean {
    return this.#agents.get(unit).kill(signal);
  }

  /** `juju resolve`: runs the failed hook again, or skips it (`retry: false`). */
  async resolve(unit: string, { retry = true }: { readonly retry?: boolean } = {}): Promise<void> {
    this.#agents.resolve(unit, retry);
  }

  /** Lets virtual time pass: failed hooks whose delay is over run again, and `update-status` where 5 minutes are over. */
  async advance(ms: number): Promise<void> {
    this.#agents.advance(ms);
  }

  /** Puts a fault into a hook command; the returned function takes it away. */
  injectFault(fault: Fault): () => void {
    return this.#faults.add(fault);
  }

  /** Makes the controller refuse the unit's next commit. */
  failNextCommit(unit: string, message: string): void {
    this.#agents.get(unit).failNextCommit(message);
  }

  /**
   * Waits until no hook, action or command is queued or running (60 s without a `signal`); a failed hook that
   * waits for its retry counts as settled. Throws what still runs when `signal` fires.
   */
  async settle({
    signal = AbortSignal.timeout(60_000),
  }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#agents.settle(signal);
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
    await this.#agents.stop();
  }
}
