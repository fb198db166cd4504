/** One action, of the charm or a client's `juju exec`, from its start to its outcome (contract 1.4, 2). */
import { runScript } from "./commands-run.ts";
import { newContext, type ActionRun } from "./context.ts";
import { dispatch, type DispatchEnd } from "./dispatch.ts";
import { statusNow } from "./model.ts";
import type { ActionOutcome } from "./options.ts";
import { problemOf } from "./run-hook.ts";
import type { EndProcess, Session } from "./surroundings.ts";

/** How an action ended, without what it said. */
export type ActionEnd = Pick<ActionOutcome, "status" | "message">;

/** An action that waits for its turn. */
export interface ActionTask {
  readonly run: ActionRun;
  /** What a client's `juju exec` runs in place of the charm's program. */
  readonly script: { readonly commands: string; readonly timeoutMs: number | undefined } | undefined;
  readonly parallel: boolean;
  /** The execution group: its lock stands in for the machine's. Empty for none. */
  readonly group: string;
  readonly done: (end: ActionEnd) => void;
  cancelled: boolean;
}

/** Runs the action and tells its end by `task.done`. Its writes count with exit code 0 only; those of `juju exec` with any. */
export async function runAction(session: Session, task: ActionTask): Promise<void> {
  const { around, unit, state } = session;
  const { run, script } = task;
  const before = unit.agentStatus;
  unit.agentStatus = statusNow("executing", `running action ${run.name}`);
  const context = newContext({
    unit,
    agent: state,
    kind: script === undefined ? "action" : "exec",
    name: run.name,
    action: run,
  });
  let late = false;
  const end = await session.open(context, async (onStart) => {
    if (script === undefined) return await dispatch(around, context, onStart);
    let timer: NodeJS.Timeout | undefined;
    const started = (stop: EndProcess): void => {
      onStart(stop);
      if (script.timeoutMs === undefined) return;
      timer = setTimeout(() => {
        late = true;
        stop("SIGKILL");
      }, script.timeoutMs);
    };
    try {
      return await runScript(around, context, script.commands, { tools: true, onStart: started });
    } finally {
      clearTimeout(timer);
    }
  });
  unit.agentStatus = before;
  addResults(run.results, end);
  if (end.signal !== undefined) {
    task.done(
      task.cancelled
        ? { status: "aborted", message: "aborted" }
        : { status: "failed", message: late ? "command cancelled" : "terminated" },
    );
    return;
  }
  const problem = script === undefined ? problemOf(end) : end.problem;
  if (problem !== undefined) return task.done({ status: "failed", message: problem });
  const refused = session.commit(context);
  if (refused !== undefined) {
    run.results["stderr"] = `${end.stderr.toString("utf8")}${refused}`;
    run.results["return-code"] = 1;
    return task.done({ status: "failed", message: refused });
  }
  return task.done({
    status: run.failure === undefined ? "completed" : "failed",
    message: run.failure ?? "",
  });
}

function addResults(results: Record<string, unknown>, end: DispatchEnd): void {
  addOutput(results, "stdout", end.stdout);
  addOutput(results, "stderr", end.stderr);
  results["return-code"] = end.signal === undefined ? end.code : 1;
}

/** Adds output to an action's results as Juju does: absent when empty, base64 when no UTF-8. */
function addOutput(results: Record<string, unknown>, name: string, bytes: Buffer): void {
  if (bytes.length === 0) return;
  const text = bytes.toString("utf8");
  const valid = Buffer.from(text).equals(bytes);
  results[name] = valid ? text : bytes.toString("base64");
  if (!valid) results[`${name}-encoding`] = "base64";
}
