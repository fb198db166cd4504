/** What an admin runs on a unit: actions, `juju exec`, and `juju-exec` as root on its machine. */
import { AppError } from "../../../src/base/errors.ts";
import { actionParameters } from "../charm.ts";
import type { Outcome } from "../commands/run.ts";
import type { ActionOutcome } from "../options.ts";
import type { ActionTask } from "../run-action.ts";
import { takeNumber, type Controller } from "./controller.ts";

/** A task that has been asked for: its number, and how it ends. */
export interface StartedAction {
  readonly id: string;
  readonly outcome: Promise<ActionOutcome>;
}

/** The admin's tasks, as methods of the fake. */
export function taskMethods({ agents, numbers }: Controller) {
  const start = (
    unit: string,
    name: string,
    parameters: Readonly<Record<string, unknown>>,
    task: Pick<ActionTask, "script" | "parallel" | "group">,
  ): StartedAction => {
    const agent = agents.get(unit);
    const id = String(takeNumber(numbers, "action"));
    const run: ActionTask["run"] = { id, name, parameters, results: {}, log: [], failure: undefined };
    const outcome = new Promise<ActionOutcome>((done) => {
      agent.queueAction({
        ...task,
        run,
        cancelled: false,
        done: (end) => done({ ...end, results: run.results, log: run.log }),
      });
    });
    return { id, outcome };
  };

  const startAction = (
    unit: string,
    name: string,
    parameters: Readonly<Record<string, unknown>> = {},
  ): StartedAction => {
    const action = agents.get(unit).unit.application.charm?.actions.get(name);
    if (action === undefined) throw new AppError(`action "${name}" not defined on unit "${unit}"`);
    const checked = actionParameters(action, parameters);
    if (typeof checked === "string") {
      const outcome: ActionOutcome = { status: "error", message: checked, results: {}, log: [] };
      return { id: String(takeNumber(numbers, "action")), outcome: Promise.resolve(outcome) };
    }
    const { parallel, executionGroup } = action;
    return start(unit, name, checked, { script: undefined, parallel, group: executionGroup });
  };

  return {
    /** Queues an action. Parameters that don't fit give the status `error` and no run. */
    startAction,

    /** Runs an action and awaits its end, as {@link startAction}. */
    async runAction(
      unit: string,
      name: string,
      parameters: Readonly<Record<string, unknown>> = {},
    ): Promise<ActionOutcome> {
      return await startAction(unit, name, parameters).outcome;
    },

    /** `juju cancel-task`: kills an action that runs, takes a queued one away. Throws for any other id. */
    cancelAction(id: string): void {
      if (!agents.all().some((agent) => agent.cancelAction(id)))
        throw new AppError(`cannot cancel task ${id}: it is neither queued nor running`);
    },

    /**
     * The client's `juju exec --unit` (2.9: `juju run`): an action called `juju-exec`, which has `JUJU_ACTION_*`,
     * commits whatever the exit code, and is killed after `timeoutMs`.
     */
    async clientExec(
      unit: string,
      commands: string,
      options: {
        readonly timeoutMs?: number;
        readonly parallel?: boolean;
        readonly executionGroup?: string;
      } = {},
    ): Promise<ActionOutcome> {
      const { timeoutMs, parallel = false, executionGroup = "" } = options;
      const script = { commands, timeoutMs };
      const parameters = { command: commands, timeout: (timeoutMs ?? 0) * 1_000_000 };
      return await start(unit, "juju-exec", parameters, { script, parallel, group: executionGroup }).outcome;
    },

    /** Runs `commands` as juju-exec does on the unit's machine: bash in the charm's folder; commits whatever the exit code. */
    async exec(
      unit: string,
      commands: string,
      options: { readonly relation?: string; readonly remoteUnit?: string; readonly force?: boolean } = {},
    ): Promise<Outcome> {
      const { relation = "", remoteUnit = "", force = false } = options;
      return await agents.get(unit).exec({ commands, relation, remoteUnit, force, context: true });
    },
  };
}
