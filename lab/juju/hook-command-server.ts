/** Answers the hook-command programs of one unit: identity, faults, journal (contract 3.1). */
import { runCommand, failed, type Outcome } from "./commands/run.ts";
import type { HookContext } from "./context.ts";
import type { JournalEntry } from "./journal.ts";
import type { Surroundings } from "./surroundings.ts";

/** Answers one call: the request's fields are context id, working directory, command, words. `null`: no answer ever. */
export async function answerCommand(
  around: Surroundings,
  socket: string,
  current: () => HookContext | undefined,
  fields: readonly string[],
  readInput: () => Promise<string>,
  gone: AbortSignal,
): Promise<Outcome | null> {
  const [contextId = "", cwd = "/", command = "", ...words] = fields;
  const misfit = (): Outcome | undefined => {
    const context = current();
    if (context === undefined) return failed(1, `dial unix ${socket}: connect: connection refused`);
    if (context.id === contextId) return undefined;
    return failed(
      1,
      `bad request: expected context id ${JSON.stringify(context.id)}, got ${JSON.stringify(contextId)}`,
    );
  };
  const refused = misfit();
  const context = current();
  if (refused !== undefined || context === undefined) return refused ?? null;
  const entry: JournalEntry = {
    unit: context.unit.name,
    hook: context.name,
    contextId,
    command,
    words,
    cwd,
    input: undefined,
    files: {},
    exit: undefined,
    stdout: "",
    stderr: "",
    startedAt: Date.now(),
    endedAt: undefined,
  };
  around.journal.push(entry);
  const struck = await around.faults.strike(command, context.unit.name, gone);
  if (struck === null) return null;
  const run = (input: string | undefined): Outcome | "input" =>
    misfit() ??
    runCommand(around.model, context, { command, words, cwd, input }, entry.files, (level, module, message) =>
      around.log({ time: new Date().toISOString(), unit: context.unit.name, module, level, message }),
    );
  let outcome = struck ?? run(undefined);
  if (outcome === "input") {
    entry.input = await readInput();
    outcome = run(entry.input);
  }
  if (outcome === "input") return failed(1, "standard input asked for twice");
  Object.assign(entry, { ...outcome, endedAt: Date.now() });
  around.changed();
  return outcome;
}
