/** What `juju-exec` asks for: a bash script in a unit's context (contract 2). */
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AgentState, HookRelation } from "./agent-state.ts";
import { failed, type Outcome } from "./commands/run.ts";
import { newContext, type HookContext } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { ownSide, type Unit } from "./model.ts";
import { runProcess, type ProcessEnd } from "./process.ts";
import type { Surroundings } from "./unit-agent.ts";

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

type Run = (
  context: HookContext,
  run: (onStart: (end: (signal: NodeJS.Signals) => void) => void) => Promise<ProcessEnd>,
) => Promise<{ readonly end: ProcessEnd; readonly problem: string | undefined }>;

/** Runs the task's script through `inContext`, which opens the context and commits. Output is buffered, no line is logged. */
export async function runCommands(
  around: Surroundings,
  unit: Unit,
  agent: AgentState,
  task: Omit<ExecTask, "done">,
  inContext: Run,
): Promise<Outcome> {
  const relation = relationOf(around, unit, agent, task);
  if (typeof relation === "string") return failed(1, relation);
  const context = newContext({
    unit,
    agent,
    kind: "exec",
    name: "juju-exec",
    relation,
    secret: undefined,
    storage: undefined,
    action: undefined,
  });
  const script = join(agent.directory, `exec-${randomBytes(6).toString("hex")}`);
  await writeFile(script, `${task.commands}\n`, { mode: 0o700 });
  try {
    const { end, problem } = await inContext(context, async (onStart) =>
      runProcess({
        file: "/bin/bash",
        parameters: [script],
        cwd: agent.charmDirectory,
        env: task.context
          ? environmentOf(around.model, context, around.extraEnvironment)
          : bareEnvironment(around),
        onLine: () => {},
        onStart,
      }),
    );
    const [stdout, stderr] = [end.stdout.toString("utf8"), end.stderr.toString("utf8")];
    if (problem === undefined) return { exit: end.code, stdout, stderr };
    return { exit: 1, stdout, stderr: `${stderr}ERROR ${problem}\n` };
  } finally {
    await rm(script, { force: true });
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
