/** All agents of the model: their machine locks, who wakes them, and when they are done. */
import { AppError } from "../../src/base/errors.ts";
import { pause } from "../../src/base/deadline.ts";
import type { AgentState } from "./agent-state.ts";
import { Lock } from "./lock.ts";
import type { Model, Unit } from "./model.ts";
import { removeUnitNow } from "./operations.ts";
import type { Surroundings } from "./surroundings.ts";
import { UnitAgent } from "./unit-agent.ts";

const RETRY_FIRST_MS = 5_000;
const RETRY_LONGEST_MS = 300_000;
const UPDATE_STATUS_MS = 300_000;

/** What the pool needs from its owner. */
export type PoolOptions = Pick<
  Surroundings,
  "model" | "machine" | "extraEnvironment" | "faults" | "journal" | "log" | "placeCharm"
>;

/** The running agents; stop it to end their processes and sockets. */
export class AgentPool {
  readonly #model: Model;
  readonly #around: Surroundings;
  readonly #agents = new Map<string, UnitAgent>();
  readonly #locks = new Map<string, Lock>();
  readonly #retries = new Map<string, number>();
  readonly #problems: unknown[] = [];
  readonly #waiters = new Set<() => void>();
  readonly #leaving: Promise<void>[] = [];
  #now = 0;
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#model = options.model;
    this.#around = {
      ...options,
      lock: (machine, group) => {
        const name = `${machine} ${group}`;
        const lock = this.#locks.get(name) ?? new Lock();
        this.#locks.set(name, lock);
        return lock;
      },
      changed: () => this.wake(),
      failedHook: (unit, agent) => {
        agent.failures += 1;
        const delay = Math.min(RETRY_FIRST_MS * 2 ** (agent.failures - 1), RETRY_LONGEST_MS);
        this.#retries.set(unit.name, this.#now + delay);
      },
      report: (error) => {
        this.#problems.push(error);
        this.wake();
      },
    };
  }

  /** Starts the agent of a unit; it waits for the next {@link wake}. */
  async add(unit: Unit, state: AgentState): Promise<void> {
    const agent = new UnitAgent(unit, state, this.#around);
    await agent.start();
    this.#agents.set(unit.name, agent);
  }

  /** The agent of the unit called `name`. */
  get(name: string): UnitAgent {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new AppError(`unit "${name}" not found, or it has no agent`);
    return agent;
  }

  /** The agents there are. */
  all(): readonly UnitAgent[] {
    return [...this.#agents.values()];
  }

  /** Lets every agent look for work. Call it after each change of the model. */
  wake(): void {
    if (this.#stopped) return;
    for (const agent of this.all()) {
      if (!agent.state.removed) continue;
      this.#agents.delete(agent.unit.name);
      removeUnitNow(this.#model, agent.unit);
      this.#leaving.push(agent.stop());
    }
    for (const agent of this.all()) agent.wake();
    for (const wake of this.#waiters) wake();
  }

  /** Ends the error state of a unit: runs the failed hook again, or skips it. */
  resolve(unit: string, retry: boolean): void {
    const agent = this.get(unit);
    if (agent.state.failed === undefined)
      throw new AppError(`cannot resolve ${unit}: it is not in an error state`);
    this.#retries.delete(unit);
    if (retry) agent.state.retry = true;
    else agent.skipFailed();
    this.wake();
  }

  /** Lets virtual time pass. */
  advance(ms: number): void {
    const before = this.#now;
    this.#now += ms;
    for (const [unit, at] of this.#retries) {
      if (at > this.#now) continue;
      this.#retries.delete(unit);
      const state = this.#agents.get(unit)?.state;
      if (state?.failed !== undefined) state.retry = true;
    }
    if (Math.floor(before / UPDATE_STATUS_MS) < Math.floor(this.#now / UPDATE_STATUS_MS)) {
      for (const { state } of this.all()) state.updateStatusDue += 1;
    }
    this.wake();
  }

  /** Waits until no agent is busy; throws what still runs when `signal` fires, and faults of the fake itself. */
  async settle(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#throwProblems();
      const busy = this.all().filter((agent) => agent.busy);
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

  /** Ends everything; throws the first fault of the fake itself that nobody has seen. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await Promise.all([...this.#leaving, ...this.all().map(async (agent) => agent.stop())]);
    this.#throwProblems();
  }

  #throwProblems(): void {
    const [problem] = this.#problems.splice(0);
    if (problem !== undefined) throw new AppError("the fake Juju itself failed", { cause: problem });
  }
}
