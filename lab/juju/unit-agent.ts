/** The agent of one unit: its queue, its sockets, and the loop that runs the charm. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hookName, type AgentState, type Hook } from "./agent-state.ts";
import { runCommands, type ExecTask } from "./commands-run.ts";
import type { LogRecord } from "./commands/command.ts";
import { failed, type Outcome } from "./commands/run.ts";
import { commit, newContext, refusal, type ActionRun, type HookContext } from "./context.ts";
import { dispatch, type DispatchEnd } from "./dispatch.ts";
import { beginHook } from "./hook-effects.ts";
import { answerCommand } from "./hook-command-server.ts";
import type { Faults, JournalEntry } from "./journal.ts";
import type { Lock } from "./lock.ts";
import { statusNow, type Model, type Unit } from "./model.ts";
import { nextOperation, type Operation } from "./resolver.ts";
import { listen } from "./wire.ts";

/** What all agents share. */
export interface Surroundings {
  readonly model: Model;
  readonly extraEnvironment: Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly journal: JournalEntry[];
  readonly log: (record: LogRecord) => void;
  readonly lock: (machine: string) => Lock;
  /** Something visible changed: every agent must look again. */
  readonly changed: () => void;
  /** Brings the charm's newest files to the unit. */
  readonly placeCharm: (unit: Unit, agent: AgentState) => Promise<void>;
  /** A failed hook may be tried again later. */
  readonly failedHook: (unit: Unit, agent: AgentState) => void;
  readonly report: (error: unknown) => void;
}

/** An action that waits for its turn. */
export interface ActionTask {
  readonly run: ActionRun;
  readonly parallel: boolean;
  readonly done: (end: { readonly status: "completed" | "failed"; readonly message: string }) => void;
}

/** One unit's agent; `stop` it to end its process and close its sockets. */
export class UnitAgent {
  readonly unit: Unit;
  readonly state: AgentState;
  readonly #around: Surroundings;
  readonly #actions: ActionTask[] = [];
  readonly #execs: ExecTask[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  #context: HookContext | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #commitFault: string | undefined;

  constructor(unit: Unit, state: AgentState, around: Surroundings) {
    this.unit = unit;
    this.state = state;
    this.#around = around;
  }

  /** Opens the two sockets. */
  async start(): Promise<void> {
    const { directory } = this.state;
    await mkdir(directory, { recursive: true });
    const report = (error: unknown): void => {
      if (!this.#stopped) this.#around.report(error);
    };
    const socket = join(directory, "agent.socket");
    this.#closers.push(
      await listen(
        socket,
        async (...call) => answerCommand(this.#around, socket, () => this.#context, ...call),
        report,
      ),
      await listen(join(directory, "run.socket"), async (fields) => this.#answerExec(fields), report),
    );
  }

  /** Whether something is queued or running. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** What runs now, for messages. */
  get doing(): string {
    return this.#context === undefined ? "waiting for the machine lock" : `running ${this.#context.name}`;
  }

  /** Looks for work, after the caller's own turn. */
  wake(): void {
    if (this.#running !== undefined || this.#stopped || this.#next() === undefined) return;
    this.#running = this.#loop()
      .catch((error: unknown) => this.#around.report(error))
      .finally(() => {
        this.#running = undefined;
        this.#around.changed();
      });
  }

  /** Queues an action. */
  queueAction(task: ActionTask): void {
    this.#actions.push(task);
    this.wake();
  }

  /** Queues a command for `juju-exec`; gives its outcome. */
  async exec(task: Omit<ExecTask, "done">): Promise<Outcome> {
    return await new Promise((done) => {
      this.#execs.push({ ...task, done });
      this.wake();
    });
  }

  /** Makes the controller refuse the next commit of this unit with `message`. */
  failNextCommit(message: string): void {
    this.#commitFault = message;
  }

  /** Takes the failed hook as done (`juju resolve --no-retry`). */
  skipFailed(): void {
    const { failed: hook } = this.state;
    if (hook === undefined) return;
    this.state.failed = undefined;
    this.state.failures = 0;
    beginHook(this.#around.model, this.unit, this.state, hook)();
    this.unit.agentStatus = statusNow("idle");
  }

  /** Sends `signal` to the process that runs now, with its children. False when none runs. */
  kill(signal: NodeJS.Signals): boolean {
    if (this.#context === undefined) return false;
    this.#endProcess(signal);
    return true;
  }

  /** Ends the running process and closes the sockets. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endProcess("SIGKILL");
    await Promise.all(this.#closers.splice(0).map(async (close) => close()));
    await this.#running;
    for (const task of this.#actions.splice(0))
      task.done({ status: "failed", message: "unit agent stopped" });
    for (const task of this.#execs.splice(0)) task.done(failed(1, "unit agent stopped"));
  }

  #endProcess: (signal: NodeJS.Signals) => void = () => {};

  #next(): Operation | undefined {
    const queues = { actions: this.#actions.length, execs: this.#execs.length };
    return nextOperation(this.#around.model, this.unit, this.state, queues);
  }

  async #loop(): Promise<void> {
    await new Promise(setImmediate);
    for (let next = this.#next(); next !== undefined && !this.#stopped; next = this.#next()) {
      const free = next.kind === "action" && this.#actions[0]?.parallel === true;
      const release = free ? () => {} : await this.#around.lock(this.unit.machine).acquire();
      try {
        const operation = this.#next();
        if (operation !== undefined && !this.#stopped) await this.#perform(operation);
      } finally {
        release();
      }
    }
    if (this.state.failed === undefined) this.unit.agentStatus = statusNow("idle");
    if (this.state.removed) await rm(join(this.state.directory, "run.socket"), { force: true });
  }

  async #perform(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case "hook":
        await this.#runHook(operation.hook);
        break;
      case "action": {
        const task = this.#actions.shift();
        if (task !== undefined) await this.#runAction(task);
        break;
      }
      case "exec": {
        const task = this.#execs.shift();
        if (task !== undefined) await this.#runExec(task);
      }
    }
    this.#around.changed();
  }

  async #inContext<T>(
    context: HookContext,
    run: (onStart: (end: (signal: NodeJS.Signals) => void) => void) => Promise<T>,
  ): Promise<T> {
    this.#context = context;
    try {
      return await run((end) => {
        this.#endProcess = end;
        context.stop = () => end("SIGKILL");
        if (this.#stopped) end("SIGKILL");
      });
    } finally {
      this.#endProcess = () => {};
      this.#context = undefined;
    }
  }

  /** The reason why the commit was refused, or `undefined` after it. */
  #commit(context: HookContext): string | undefined {
    const problem = this.#commitFault ?? refusal(context);
    this.#commitFault = undefined;
    if (problem === undefined) commit(this.#around.model, context);
    return problem;
  }

  async #runHook(hook: Hook): Promise<void> {
    const { unit, state } = this;
    const name = hookName(hook);
    const finish = beginHook(this.#around.model, unit, state, hook);
    if (hook.kind === "upgrade-charm" && state.failed === undefined)
      await this.#around.placeCharm(unit, state);
    unit.agentStatus = statusNow("executing", `running ${name} hook`);
    const context = newContext({
      unit,
      agent: state,
      kind: "hook",
      name,
      relation: "relation" in hook ? hook.relation : undefined,
      secret: "secret" in hook ? hook.secret : undefined,
      storage: undefined,
      action: undefined,
    });
    const end = await this.#inContext(context, async (onStart) => dispatch(this.#around, context, onStart));
    if (this.#stopped) return;
    if (context.reboot === "now" || end.signal === "SIGTERM" || end.signal === "SIGKILL") {
      if (context.reboot === "now") state.startAgain = state.started;
      if (state.failed !== undefined) state.retry = true;
      return;
    }
    const problem = hookProblem(end) ?? this.#commit(context);
    if (problem !== undefined) {
      state.failed = hook;
      unit.agentStatus = statusNow("error", `hook failed: "${name}"`);
      this.#log("ERROR", `hook "${name}" (via hook dispatching script: dispatch) failed: ${problem}`);
      this.#around.failedHook(unit, state);
      return;
    }
    state.failed = undefined;
    state.failures = 0;
    finish();
    if (context.reboot === "after") state.startAgain = state.started;
    this.#log("INFO", `ran "${name}" hook (via hook dispatching script: dispatch)`);
  }

  async #runAction(task: ActionTask): Promise<void> {
    const { unit, state } = this;
    const before = unit.agentStatus;
    unit.agentStatus = statusNow("executing", `running action ${task.run.name}`);
    const context = newContext({
      unit,
      agent: state,
      kind: "action",
      name: task.run.name,
      relation: undefined,
      secret: undefined,
      storage: undefined,
      action: task.run,
    });
    const end = await this.#inContext(context, async (onStart) => dispatch(this.#around, context, onStart));
    unit.agentStatus = before;
    const { results } = task.run;
    addOutput(results, "stdout", end.stdout);
    addOutput(results, "stderr", end.stderr);
    results["return-code"] = end.signal === undefined ? end.code : 1;
    const ended = hookProblem(end);
    if (end.signal !== undefined) return task.done({ status: "failed", message: "terminated" });
    if (ended !== undefined) return task.done({ status: "failed", message: ended });
    const refused = this.#commit(context);
    if (refused !== undefined) {
      results["stderr"] = `${end.stderr.toString("utf8")}${refused}`;
      results["return-code"] = 1;
      return task.done({ status: "failed", message: refused });
    }
    const { failure } = task.run;
    return task.done({ status: failure === undefined ? "completed" : "failed", message: failure ?? "" });
  }

  async #runExec(task: ExecTask): Promise<void> {
    const before = this.unit.agentStatus;
    this.unit.agentStatus = statusNow("executing", "running commands");
    const outcome = await runCommands(this.#around, this.unit, this.state, task, async (context, run) => {
      const end = await this.#inContext(context, run);
      if (end.signal !== undefined) return { end, problem: `signal: ${end.signal}` };
      return { end, problem: end.problem ?? this.#commit(context) };
    });
    this.unit.agentStatus = before;
    task.done(outcome);
  }

  async #answerExec(fields: readonly string[]): Promise<Outcome> {
    const [, relation = "", remoteUnit = "", force = "", mode = "", commands = ""] = fields;
    return await this.exec({ commands, relation, remoteUnit, force: force !== "", context: mode === "" });
  }

  #log(level: LogRecord["level"], message: string): void {
    const time = new Date().toISOString();
    this.#around.log({ time, unit: this.unit.name, module: "juju.worker.uniter.operation", level, message });
  }
}

function hookProblem(end: DispatchEnd): string | undefined {
  if (end.problem !== undefined) return end.problem;
  if (end.signal !== undefined) return `signal: ${end.signal}`;
  return end.code === 0 ? undefined : `exit status ${end.code}`;
}

/** Adds output to an action's results as Juju does: absent when empty, base64 when no UTF-8. */
function addOutput(results: Record<string, unknown>, name: string, bytes: Buffer): void {
  if (bytes.length === 0) return;
  const text = bytes.toString("utf8");
  const valid = Buffer.from(text).equals(bytes);
  results[name] = valid ? text : bytes.toString("base64");
  if (!valid) results[`${name}-encoding`] = "base64";
}
