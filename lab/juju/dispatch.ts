/** Finds and runs the charm's program for a hook or an action (contract 1.1). */
import { join } from "node:path";
import type { HookContext } from "./context.ts";
import { environmentOf } from "./environment.ts";
import type { ProcessEnd } from "./process.ts";
import type { Surroundings } from "./surroundings.ts";

/** How the charm's process ended. */
export type DispatchEnd = ProcessEnd;

const SILENT_SUCCESS: DispatchEnd = {
  code: 0,
  signal: undefined,
  problem: undefined,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
};

/** Runs `./dispatch`, or the legacy `hooks/<name>`, `actions/<name>`; its lines go to the log. */
export async function dispatch(
  around: Surroundings,
  context: HookContext,
  onStart: (end: (signal: NodeJS.Signals) => void) => void,
): Promise<DispatchEnd> {
  const { charmDirectory } = context.agent;
  if ((await around.machine.look(join(charmDirectory, "metadata.yaml"))) === "nothing") {
    return { ...SILENT_SUCCESS, code: -1, problem: "charm missing from disk" };
  }
  const candidates = ["dispatch", `${context.kind}s/${context.name}`].map((name) =>
    join(charmDirectory, name),
  );
  for (const file of candidates) {
    const found = await around.machine.look(file);
    if (found === "nothing") continue;
    if (found === "file") {
      return { ...SILENT_SUCCESS, code: -1, problem: `fork/exec ${file}: permission denied` };
    }
    return await around.machine.run({
      file,
      parameters: [],
      cwd: charmDirectory,
      env: environmentOf(around.model, context, around.extraEnvironment),
      onStart,
      onLine: (stream, message) =>
        around.log({
          time: new Date().toISOString(),
          unit: context.unit.name,
          module: `unit.${context.unit.name}.${context.name}`,
          level: stream === "stdout" ? "DEBUG" : "WARNING",
          message,
        }),
    });
  }
  if (context.kind === "hook") return SILENT_SUCCESS;
  return { ...SILENT_SUCCESS, code: -1, problem: `action not implemented on unit "${context.unit.name}"` };
}
