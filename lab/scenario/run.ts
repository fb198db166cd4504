/** One event through the charm's own `./dispatch`, with real hook-command programs, in a model made for it. */
import { join } from "node:path";
import { AppError, formatDuration } from "../../src/base/errors.ts";
import { actionParameters } from "../juju/charm.ts";
import type { LogRecord } from "../juju/commands/command.ts";
import { runScript } from "../juju/commands-run.ts";
import { commit, newContext, refusal, type ActionRun, type HookContext } from "../juju/context.ts";
import { dispatch, type DispatchEnd } from "../juju/dispatch.ts";
import { answerCommand } from "../juju/hook-command-server.ts";
import { Faults, type Fault, type JournalEntry } from "../juju/journal.ts";
import { Lock } from "../juju/lock.ts";
import { thisMachine } from "../juju/machine.ts";
import { otherSide, type Model } from "../juju/model.ts";
import type { Surroundings } from "../juju/surroundings.ts";
import { listen } from "../juju/wire.ts";
import { nameOf, type ScenarioEvent } from "./event.ts";
import { freezeCopy } from "./freeze.ts";
import { loadState, storageId, type Folders, type Loaded } from "./load.ts";
import { ActionFailedError, DispatchFailedError, type RunResult } from "./result.ts";
import { saveState, statusAfter } from "./save.ts";
import type { Setting } from "./setting.ts";
import type { State } from "./state.ts";

/** What goes wrong in a run on purpose, and how long it may take. */
export interface RunOptions {
  /** Faults of hook commands. */
  readonly faults?: readonly Fault[];
  /** The controller refuses to commit, in these words. */
  readonly refuseCommit?: string;
  /** The charm's process is killed after this time, and the run fails; 30 s without it. */
  readonly limitMs?: number;
}

/** Where and for whom to run. */
export interface Stage {
  readonly setting: Setting;
  readonly folders: Folders;
  readonly model: Pick<Model, "name" | "uuid" | "version">;
  readonly environment: Readonly<Record<string, string>>;
}

const LIMIT_MS = 30_000;

interface End {
  readonly code: number;
  /** Null after a run that Juju takes. */
  readonly problem: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `happening` in `state`, both being consistent. Throws DispatchFailedError and ActionFailedError.
 * `signal` ends the charm's process.
 */
export async function runEvent(
  stage: Stage,
  happening: ScenarioEvent,
  state: State,
  options: RunOptions,
  signal: AbortSignal,
): Promise<RunResult> {
  const loaded = loadState(stage.setting, state, happening, stage.folders, stage.model);
  const logs: LogRecord[] = [];
  const journal: JournalEntry[] = [];
  const problems: unknown[] = [];
  const around = surroundings(stage, loaded, options, { logs, journal, problems });
  const limitMs = options.limitMs ?? LIMIT_MS;
  const limit = AbortSignal.timeout(limitMs);
  const { context, end } = await inContext(
    around,
    loaded,
    happening,
    options,
    AbortSignal.any([signal, limit]),
  );
  const [problem] = problems;
  if (problem !== undefined) throw new AppError("the test kit itself failed", { cause: problem });
  signal.throwIfAborted();
  const result = resultOf(loaded, state, context, end, { logs, journal });
  if (limit.aborted && end.problem !== null) {
    throw new DispatchFailedError(happening, `not done after ${formatDuration(limitMs)}`, result);
  }
  if (end.problem !== null && context.reboot !== "now") {
    throw new DispatchFailedError(happening, end.problem, result);
  }
  const failure = context.action?.failure;
  if (failure !== undefined) throw new ActionFailedError(happening, failure, result);
  return result;
}

function surroundings(
  { environment }: Stage,
  { model }: Loaded,
  options: RunOptions,
  into: { readonly logs: LogRecord[]; readonly journal: JournalEntry[]; readonly problems: unknown[] },
): Surroundings {
  const faults = new Faults();
  for (const fault of options.faults ?? []) faults.add(fault);
  const lock = new Lock();
  return {
    model,
    machine: thisMachine,
    extraEnvironment: environment,
    faults,
    journal: into.journal,
    log: (record) => void into.logs.push(record),
    lock: () => lock,
    // one event alone: nothing that it changes makes another one run
    changed: () => {},
    placeCharm: async () => {},
    failedHook: () => {},
    report: (error) => void into.problems.push(error),
  };
}

/** Opens the socket for the hook commands while the charm's process runs, and commits what it queued. */
async function inContext(
  around: Surroundings,
  loaded: Loaded,
  happening: ScenarioEvent,
  options: RunOptions,
  signal: AbortSignal,
): Promise<{ readonly context: HookContext; readonly end: End }> {
  const { agent } = loaded;
  let current: HookContext | undefined;
  const socket = join(agent.directory, "agent.socket");
  const answer = answerCommand.bind(undefined, around, socket, () => current);
  const close = await listen(socket, answer, around.report);
  const started = (context: HookContext, kill: (signal: NodeJS.Signals) => void): void => {
    context.stop = () => kill("SIGKILL");
    if (signal.aborted) context.stop();
    else signal.addEventListener("abort", context.stop, { once: true });
  };
  const committed = (context: HookContext): string | null => {
    const problem = options.refuseCommit ?? refusal(context) ?? null;
    if (problem === null) commit(around.model, context);
    return problem;
  };
  try {
    if (happening.kind !== "custom") {
      const context = contextOf(loaded, happening);
      current = context;
      const ended = await dispatch(around, context, (kill) => started(context, kill));
      const problem = problemOf(ended) ?? committed(context);
      return { context, end: { ...texts(ended), code: ended.code, problem } };
    }
    const context = newContext({ unit: loaded.unit, agent, kind: "exec", name: "juju-exec" });
    current = context;
    const ended = await runScript(around, context, `JUJU_DISPATCH_PATH=${happening.name} ./dispatch`, {
      tools: true,
      onStart: (kill) => started(context, kill),
    });
    // juju-exec commits whatever the exit code; not after a signal
    const refused = ended.signal === undefined ? committed(context) : null;
    return { context, end: { ...texts(ended), code: ended.code, problem: problemOf(ended) ?? refused } };
  } finally {
    await close();
  }
}

function contextOf({ model, unit, agent }: Loaded, happening: ScenarioEvent): HookContext {
  const hook = {
    unit,
    agent,
    kind: "hook",
    name: nameOf(happening),
    relation: undefined,
    secret: undefined,
    storage: undefined,
    action: undefined,
  } as const;
  if (happening.kind === "action") {
    return newContext({ ...hook, kind: "action", action: actionOf(unit.application.charm, happening) });
  }
  if ("endpoint" in happening) {
    const { id, endpoint, remoteUnit, departingUnit } = happening;
    const relation = model.relations.get(id);
    const other = relation && otherSide(relation, unit.application).application.name;
    return newContext({
      ...hook,
      relation: {
        id,
        endpoint,
        remoteApplication: other ?? "",
        remoteUnit: remoteUnit ?? "",
        departingUnit: departingUnit ?? "",
      },
    });
  }
  if ("revision" in happening) {
    const { id, revision } = happening;
    const secret = model.secrets.get(id);
    const label = secret?.consumers.get(unit.name)?.label ?? secret?.metadata.label ?? "";
    return newContext({ ...hook, secret: { id, label, revision: revision ?? undefined } });
  }
  if ("index" in happening) {
    const storage = unit.storage.get(storageId(happening));
    return newContext({ ...hook, storage });
  }
  return newContext(hook);
}

function actionOf(
  charm: Setting["charm"] | undefined,
  { name, parameters }: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> },
): ActionRun {
  const action = charm?.actions.get(name);
  const checked = action === undefined ? "not declared" : actionParameters(action, parameters);
  if (typeof checked === "string") throw new AppError(`cannot run the action ${name}: ${checked}`);
  return { id: "1", name, parameters: checked, results: {}, log: [], failure: undefined };
}

function problemOf({ code, signal, problem }: DispatchEnd): string | null {
  if (problem !== undefined) return `dispatch did not run: ${problem}`;
  if (signal !== undefined) return `dispatch was ended by ${signal}`;
  return code === 0 ? null : `dispatch ended with exit code ${code}`;
}

function texts({ stdout, stderr }: DispatchEnd): Pick<End, "stdout" | "stderr"> {
  return { stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
}

function resultOf(
  loaded: Loaded,
  before: State,
  context: HookContext,
  end: End,
  recorded: { readonly logs: readonly LogRecord[]; readonly journal: readonly JournalEntry[] },
): RunResult {
  const { unit } = loaded;
  const { action } = context;
  return freezeCopy<RunResult>({
    state: saveState(loaded, before),
    exitCode: end.code,
    logs: recorded.logs
      .filter(({ module }) => module.endsWith(".juju-log"))
      .map(({ level, message }) => ({ level, message })),
    statuses: {
      unit: unit.statusHistory.map(statusAfter),
      application: unit.application.statusHistory.map(statusAfter),
    },
    calls: recorded.journal,
    action: action === undefined ? null : { results: action.results, log: action.log },
    stdout: end.stdout,
    stderr: end.stderr,
    reboot: context.reboot,
  });
}
