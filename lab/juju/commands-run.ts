/** What `juju-exec` asks for: a bash script in a unit's context (contract 2). */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { AgentState, HookRelation } from "./agent-state.ts";
import { failed, type Outcome } from "./commands/run.ts";
import { newContext, type HookContext } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { ownSide, statusNow, type Unit } from "./model.ts";
import type { ProcessEnd } from "./process.ts";
import type { EndProcess, Session, Surroundings } from "./surroundings.ts";

/** A command that waits for its turn; empty texts for options not given. */
export interface ExecTask {
  readonly commands: string;
  readonly relation: string;
  readonly remoteUnit: string;
  readonly force: boolean;
  /** False for `--no-context`: no hook commands. */
  readonly context: boolean;
  readonly done: (outcome: Outcome) => void;
}

/** Runs the task with the agent's context and tells its outcome by `task.done`. Output is buffered, no line is logged. */
export async function runCommands(session: Session, task: ExecTask): Promise<void> {
  const { around, unit, state } = session;
  const relation = relationOf(around, unit, state, task);
  if (typeof relation === "string") return task.done(failed(1, relation));
  const before = unit.agentStatus;
  unit.agentStatus = statusNow("executing", "running commands");
  const context = newContext({ unit, agent: state, kind: "exec", name: "juju-exec", relation });
  const end = await session.open(context, async (onStart) =>
    runScript(around, context, task.commands, { tools: task.context, onStart }),
  );
  unit.agentStatus = before;
  const problem =
    end.signal === undefined ? (end.problem ?? session.commit(context)) : `signal: ${end.signal}`;
  const [stdout, stderr] = [end.stdout.toString("utf8"), end.stderr.toString("utf8")];
  if (problem === undefined) return task.done({ exit: end.code, stdout, stderr });
  return task.done({ exit: 1, stdout, stderr: `${stderr}ERROR ${problem}\n` });
}

/** Runs `commands` by bash in the charm's folder, with the context's variables or (`tools: false`) without any of Juju's. */
export async function runScript(
  around: Surroundings,
  context: HookContext,
  commands: string,
  options: { readonly tools: boolean; readonly onStart: (end: EndProcess) => void },
): Promise<ProcessEnd> {
  const { agent } = context;
  const script = join(agent.directory, `exec-${randomBytes(6).toString("hex")}`);
  await around.machine.writeFile(script, `${commands}\n`, 0o700);
  try {
    return await around.machine.run({
      file: "/bin/bash",
      parameters: [script],
      cwd: agent.charmDirectory,
      env: options.tools
        ? environmentOf(around.model, context, around.extraEnvironment)
        : bareEnvironment(around),
      onLine: () => {},
      onStart: options.onStart,
    });
  } finally {
    await around.machine.removeFile(script);
  }
}

function bareEnvironment({ extraEnvironment }: Surroundings): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin",
    ...extraEnvironment,
  };
}

/** The relation of the task's context; a text is the reason for refusing the task. */
function relationOf(
  around: Surroundings,
  unit: Unit,
  agent: AgentState,
  task: Omit<ExecTask, "done">,
): HookRelation | undefined | string {
  if (task.relation === "") {
    return task.remoteUnit === ""
      ? undefined
      : `remote unit: ${task.remoteUnit}, provided without a relation`;
  }
  const id = Number(/^(?:.*:)?(\d+)$/.exec(task.relation)?.[1] ?? Number.NaN);
  if (Number.isNaN(id)) return `invalid relation id "${task.relation}"`;
  const relation = around.model.relations.get(id);
  const local = agent.relations.get(id);
  if (relation === undefined || local === undefined) return `unable to find relation id: ${id}`;
  const members = [...local.members.keys()];
  const [only] = members;
  let { remoteUnit } = task;
  if (remoteUnit === "") {
    if (only === undefined && !task.force) {
      return `no remote unit found for relation id: ${id}, override to execute commands`;
    }
    if (members.length > 1)
      return `unable to determine remote-unit, please disambiguate: [${members.join(" ")}]`;
    remoteUnit = only ?? "";
  } else if (!members.includes(remoteUnit) && !task.force) {
    return `remote unit not found: ${remoteUnit}, override to execute commands`;
  }
  return {
    id,
    endpoint: ownSide(relation, unit.application)?.endpoint.name ?? "",
    // no flag of juju-exec reaches this one: JUJU_REMOTE_APP stays empty
    remoteApplication: "",
    remoteUnit,
    departingUnit: "",
  };
}
