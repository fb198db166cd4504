/** One hook from its start to the commit or the error state (contract 1.4). */
import { hookName, type Hook } from "./agent-state.ts";
import { newContext } from "./context.ts";
import { dispatch, type DispatchEnd } from "./dispatch.ts";
import { beginHook } from "./hook-effects.ts";
import { statusNow } from "./model.ts";
import { agentRecord, type Session } from "./surroundings.ts";

/**
 * Runs `hook`. A good end commits; a bad one, or a refused commit, leaves the unit in error with `state.failed`
 * set; a signal queues the hook again.
 */
export async function runHook(session: Session, hook: Hook): Promise<void> {
  const { around, unit, state } = session;
  const name = hookName(hook);
  if (hook.kind === "upgrade-charm" && state.charmPlaced < unit.application.charmVersion) {
    await around.placeCharm(unit, state);
  }
  const finish = beginHook(around.model, unit, state, hook);
  unit.agentStatus = statusNow("executing", `running ${name} hook`);
  const context = newContext({
    unit,
    agent: state,
    kind: "hook",
    name,
    ...("relation" in hook ? { relation: hook.relation } : {}),
    ...("secret" in hook ? { secret: hook.secret } : {}),
    ...("storage" in hook ? { storage: hook.storage } : {}),
    ...(hook.kind === "pre-series-upgrade" ? { targetBase: state.series?.base ?? "" } : {}),
  });
  const end = await session.open(context, async (onStart) => dispatch(around, context, onStart));
  if (session.stopped()) return;
  if (context.reboot === "now" || end.signal === "SIGTERM" || end.signal === "SIGKILL") {
    if (context.reboot === "now") state.startAgain = state.started;
    if (state.failed !== undefined) state.retry = true;
    return;
  }
  const problem = problemOf(end) ?? session.commit(context);
  if (problem !== undefined) {
    state.failed = hook;
    unit.agentStatus = statusNow("error", `hook failed: "${name}"`);
    around.log(
      agentRecord(unit, "ERROR", `hook "${name}" (via hook dispatching script: dispatch) failed: ${problem}`),
    );
    around.failedHook(unit, state);
    return;
  }
  state.failed = undefined;
  state.failures = 0;
  finish();
  if (context.reboot === "after") state.startAgain = state.started;
  around.log(agentRecord(unit, "INFO", `ran "${name}" hook (via hook dispatching script: dispatch)`));
}

/** Why the process did not end well, in Juju's words; `undefined` when it did. */
export function problemOf(end: DispatchEnd): string | undefined {
  if (end.problem !== undefined) return end.problem;
  if (end.signal !== undefined) return `signal: ${end.signal}`;
  return end.code === 0 ? undefined : `exit status ${end.code}`;
}
