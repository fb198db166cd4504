/** The agent of one unit: its queue, its sockets, and the loop that runs the charm. */
import { join } from "node:path";
import type { AgentState } from "./agent-state.ts";
import { runCommands, type ExecTask } from "./commands-run.ts";
import { failed, type Outcome } from "./commands/run.ts";
import { commit, refusal, type HookContext } from "./context.ts";
import { beginHook } from "./hook-effects.ts";
import { answerCommand } from "./hook-command-server.ts";
import { statusNow, type Unit } from "./model.ts";
import { nextOperation, type Operation } from "./resolver.ts";
import { runAction, type ActionTask } from "./run-action.ts";
import { runHook } from "./run-hook.ts";
import type { EndProcess, Session, Surroundings } from "./surroundings.ts";

/** One unit's agent; `stop` it to end its process and close its sockets. */
export class UnitAgent {
  readonly unit: Unit;
  readonly state: AgentState;
  readonly #around: Surroundings;
  readonly #session: Session;
  readonly #actions: ActionTask[] = [];
  readonly #execs: ExecTask[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  #context: HookContext | undefined;
  #action: ActionTask | undefined;
  #endProcess: EndProcess = () => {};
  #running: Promise<void> | undefined;
  #stopped = false;
  #commitFault: string | undefined;

  constructor(unit: Unit, state: AgentState, around: Surroundings) {
    this.unit = unit;
    this.state = state;
    this.#around = around;
    this.#session = {
      around,
      unit,
      state,
      stopped: () => this.#stopped,
      open: async (context, run) => this.#open(context, run),
      commit: (context) => this.#commit(context),
    };
  }

  /** Opens the two sockets. */
  async start(): Promise<void> {
    const { directory } = this.state;
    const { machine } = this.#around;
    await machine.makeFolder(directory);
    const report = (error: unknown): void => {
      if (!this.#stopped) this.#around.report(error);
    };
    const socket = join(directory, "agent.socket");
    this.#closers.push(
      await machine.listen(
        socket,
        async (...call) => answerCommand(this.#around, socket, () => this.#context, ...call),
        report,
      ),
      await machine.listen(join(directory, "run.socket"), async (fields) => this.#answerExec(fields), report),
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

  /** Cancels an action by its id: one that runs is killed, a queued one never runs. False when there is none of the two. */
  cancelAction(id: string): boolean {
    if (this.#action?.run.id === id) {
      this.#action.cancelled = true;
      this.#endProcess("SIGKILL");
      return true;
    }
    const at = this.#actions.findIndex(({ run }) => run.id === id);
    const [task] = at < 0 ? [] : this.#actions.splice(at, 1);
    task?.done({ status: "cancelled", message: "action cancelled via the API" });
    return task !== undefined;
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

  #next(): Operation | undefined {
    const queues = { actions: this.#actions.length, execs: this.#execs.length };
    return nextOperation(this.#around.model, this.unit, this.state, queues);
  }

  async #loop(): Promise<void> {
    await new Promise(setImmediate);
    for (let next = this.#next(); next !== undefined && !this.#stopped; next = this.#next()) {
      const lockName = this.#lockFor(next);
      const release = await this.#acquire(lockName);
      try {
        // the wait may have changed what comes next, and with it the lock that it needs
        const operation = this.#next();
        if (operation !== undefined && !this.#stopped && this.#lockFor(operation) === lockName)
          await this.#perform(operation);
      } finally {
        release();
      }
    }
    if (this.state.failed === undefined) this.unit.agentStatus = statusNow("idle");
    if (this.state.removed) await this.#around.machine.removeFile(join(this.state.directory, "run.socket"));
  }

  /** The group whose lock the operation needs (empty: the machine's own), or `undefined` for no lock at all. */
  #lockFor(operation: Operation): string | undefined {
    const [task] = this.#actions;
    if (operation.kind !== "action" || task === undefined) return "";
    return task.parallel && task.group === "" ? undefined : task.group;
  }

  async #acquire(group: string | undefined): Promise<() => void> {
    return group === undefined ? () => {} : await this.#around.lock(this.unit.machine, group).acquire();
  }

  async #perform(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case "hook":
        await runHook(this.#session, operation.hook);
        break;
      case "action":
        this.#action = this.#actions.shift();
        if (this.#action !== undefined) await runAction(this.#session, this.#action);
        this.#action = undefined;
        break;
      case "exec": {
        const task = this.#execs.shift();
        if (task !== undefined) await runCommands(this.#session, task);
      }
    }
    this.#around.changed();
  }

  async #open<T>(context: HookContext, run: (onStart: (end: EndProcess) => void) => Promise<T>): Promise<T> {
    this.#context = context;
    try {
      return await run((end) => {
        this.#endProcess = end;
        context.stop = () => end("SIGKILL");
        if (this.#stopped || this.#action?.cancelled === true) end("SIGKILL");
      });
    } finally {
      this.#endProcess = () => {};
      this.#context = undefined;
    }
  }

  #commit(context: HookContext): string | undefined {
    const problem = this.#commitFault ?? refusal(context);
    this.#commitFault = undefined;
    if (problem === undefined) commit(this.#around.model, context);
    return problem;
  }

  async #answerExec(fields: readonly string[]): Promise<Outcome> {
    const [, relation = "", remoteUnit = "", force = "", mode = "", commands = ""] = fields;
    return await this.exec({ commands, relation, remoteUnit, force: force !== "", context: mode === "" });
  }
}
