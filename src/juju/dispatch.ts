/** One event, start to finish (juju-rules 1.4). */
import { AppError, asError, ConfigError, describe } from "../base/errors.ts";
import { lazyLogger } from "../base/lazy-log.ts";
import type { Logger, LogLevel } from "../base/log.ts";
import { openAction, type Action } from "./action.ts";
import type { Charm, Run } from "./charm.ts";
import type { JujuContext } from "./context.ts";
import { eventOf, type JujuEvent } from "./events.ts";
import { openHookTool } from "./hook-tool.ts";
import { jujuLogStream, type JujuLogStream } from "./juju-log.ts";
import { openUnit } from "./model.ts";
import { once } from "./once.ts";
import { blocked, statusSetter, worst, type Status } from "./status.ts";

/** What a dispatch takes from its process. */
export interface DispatchDeps {
  /** Called only when there is something to log, so it may load what it needs. */
  readonly createLogger: (
    destination: { write: (line: string) => void },
    level: LogLevel,
  ) => Logger | Promise<Logger>;
  /** Lowest level that goes to the model's log; each batch of lines is a process, so `info` is a good choice. */
  readonly logLevel: LogLevel;
  /** Where log lines go when `juju-log` fails; the agent logs a hook's standard error. */
  readonly stderr: { write: (text: string) => unknown };
  /** Limit of one hook command; 30 seconds where it is not given. */
  readonly toolLimitMs?: number;
}

/** Exit code of a dispatch that was told to end; its process should die by the signal itself. */
export const CANCELLED = 143;

/** A log line must not hold up a hook that is being ended. */
const LOG_LIMIT_MS = 10_000;

/**
 * Runs the event of `context`: handler, then the statuses are collected, then the queued writes are issued,
 * then the worst status is set. Gives the exit code: 0 also for an unknown event, wrong config (the unit is
 * blocked) and a failed action; 1 when a hook failed, with nothing written (Juju runs it again);
 * {@link CANCELLED} when `signal` fired. Never throws; what it logged has been passed on when it ends.
 */
export async function dispatch<Config>(
  charm: Charm<Config>,
  context: JujuContext,
  deps: DispatchDeps,
  signal: AbortSignal,
): Promise<number> {
  const limit = deps.toolLimitMs === undefined ? {} : { limitMs: deps.toolLimitMs };
  // a log of its own signal: the last lines of a cancelled dispatch are worth having
  const logTool = openHookTool(context, {
    limitMs: LOG_LIMIT_MS,
    ...limit,
    signal: new AbortController().signal,
  });
  const stream = jujuLogStream(logTool, (text) => deps.stderr.write(text));
  const { log, flush } = lazyLogger(deps.logLevel, () => deps.createLogger(stream, deps.logLevel));
  const tool = openHookTool(context, { ...limit, signal });
  const action = context.action === null ? null : openAction(context.action, tool);
  try {
    await runEvent(charm, { context, tool, action, log, signal });
    return 0;
  } catch (error) {
    return await failureCode(error, { context, action, log, flush, signal, stream });
  } finally {
    await flush();
    await stream.flush();
  }
}

type Parts<Config> = Pick<Run<Config>, "context" | "tool" | "log" | "signal"> & {
  readonly action: Action | null;
};

async function runEvent<Config>(charm: Charm<Config>, parts: Parts<Config>): Promise<void> {
  const { context, tool, log, signal, action } = parts;
  const event = eventOf(context, charm.metadata);
  const { unit, flush } = openUnit(context, tool);
  const setStatus = statusSetter(tool);
  const config = once(async () => {
    const parsed = await charm.parseConfig(await unit.config());
    if (parsed instanceof ConfigError) throw parsed;
    return parsed;
  });
  const run: Run<Config> = {
    context,
    event,
    unit,
    config,
    log,
    setMaintenance: (message) => setStatus({ name: "maintenance", message }),
    tool,
    signal,
  };

  log.debug({ event: context.eventName }, "dispatching");
  const handle = handlerOf(charm, run, action);
  if (handle === undefined) reportUnhandled(event, log);
  const problem = handle === undefined ? undefined : await configProblem(handle, event);
  signal.throwIfAborted();
  if (problem !== undefined) {
    await setStatus(blockedBy(problem, log));
    return;
  }
  // collected before anything is written: a failure in here must leave nothing behind either
  const status = await collected(charm, run);
  signal.throwIfAborted();
  await flush();
  if (status !== undefined) await setStatus(status);
}

/** The ConfigError that ended `handle`; an action's passes through, because it fails the action alone. */
async function configProblem(
  handle: () => Promise<void>,
  event: JujuEvent,
): Promise<ConfigError | undefined> {
  try {
    await handle();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError && event.kind !== "action") return error;
    throw error;
  }
}

async function collected<Config>(charm: Charm<Config>, run: Run<Config>): Promise<Status | undefined> {
  try {
    return worst(await charm.collectStatus(run));
  } catch (error) {
    if (error instanceof ConfigError) return blockedBy(error, run.log);
    throw error;
  }
}

/** The status for wrong config: the first problem and how many more; the log has them all. */
function blockedBy(error: ConfigError, log: Logger): Status {
  for (const problem of error.problems) log.warn({ problem }, "wrong configuration");
  const [first = error.message, ...others] = error.problems;
  return blocked(others.length === 0 ? first : `${first} (and ${others.length} more, see juju debug-log)`);
}

function handlerOf<Config>(
  charm: Charm<Config>,
  run: Run<Config>,
  action: Action | null,
): (() => Promise<void>) | undefined {
  const { event } = run;
  if (event.kind === "unknown") return undefined;
  if (event.kind === "custom") {
    const handler = Object.hasOwn(charm.custom, event.name) ? charm.custom[event.name] : undefined;
    return handler && (() => handler({ ...run, event }));
  }
  if (event.kind === "action") {
    const handler = Object.hasOwn(charm.actions, event.name) ? charm.actions[event.name] : undefined;
    if (handler === undefined || action === null) {
      throw new AppError(
        `cannot run the action "${event.name}": this revision of the charm has none of that name`,
      );
    }
    return () => handler({ ...run, event, action });
  }
  // the table's types tie each kind to its event; TypeScript cannot follow that through the lookup
  const handler = charm.hooks[event.kind] as ((run: Run<Config>) => Promise<void>) | undefined;
  return handler && (() => handler(run));
}

function reportUnhandled(event: JujuEvent, log: Logger): void {
  const isExpected = event.kind !== "unknown" && event.kind !== "custom";
  if (isExpected) log.debug({ event: event.kind }, "no handler for this hook");
  else log.info({ event: event.name }, "ignored an event that this revision of the charm does not know");
}

interface FailureParts {
  readonly context: JujuContext;
  readonly action: Action | null;
  readonly log: Logger;
  readonly flush: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly stream: JujuLogStream;
}

async function failureCode(error: unknown, parts: FailureParts): Promise<number> {
  const { context, action, log, flush, signal, stream } = parts;
  if (signal.aborted) {
    log.warn({ event: context.eventName, reason: describe(signal.reason) }, "dispatch was told to end");
    return CANCELLED;
  }
  const err = asError(error);
  if (!(action !== null && error instanceof ConfigError)) {
    log.error({ event: context.eventName, err }, "dispatch failed");
    await flush();
    stream.send("DEBUG", err.stack ?? err.message);
  }
  if (action === null) return 1;
  try {
    await action.fail(describe(error));
    return 0;
  } catch (failError) {
    log.error({ err: asError(failError) }, "cannot tell Juju that the action failed");
    return 1;
  }
}
