/** Actions that are the command line's commands: the same program, the same answers. */
import { access } from "node:fs/promises";
import { minutes } from "../../base/deadline.ts";
import { AppError } from "../../base/errors.ts";
import { exec } from "../../base/exec.ts";
import { isMissing } from "../../base/files.ts";
import { pathsOf } from "../../build/paths.ts";
import type { ActionRun, Run } from "../../juju/index.ts";
import type { BuilderConfig } from "../config.ts";
import { builderProgram, type CharmEnvironment } from "../environment.ts";

/** Longer no command may take: what it asks of clouds has shorter limits of its own. */
const LIMIT_MS = minutes(10);

/** What a command gave back. */
export interface CommandResult {
  /** What it wrote to standard output. */
  readonly output: string;
  /** Why it did not succeed, a sentence; null when it did. */
  readonly problem: string | null;
}

/** Runs `image-builder` with `parameters`, as an operator would on the unit's machine. */
export async function runCommand(
  run: Pick<Run<BuilderConfig>, "context" | "signal">,
  environment: CharmEnvironment,
  parameters: readonly string[],
): Promise<CommandResult> {
  const paths = pathsOf(environment.root, run.context.unit);
  const { command, env } = await builderProgram(environment, paths, run.context.proxies);
  const [file, ...first] = command;
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(LIMIT_MS)]);
  const { code, stdout, stderr } = await exec(file, [...first, ...parameters], { env, signal });
  if (code === 0) return { output: stdout.trimEnd(), problem: null };
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const text = last.replace(/^error: /, "");
  return { output: stdout.trimEnd(), problem: text === "" ? `${parameters[0]} found faults` : text };
}

/** `--request FILE` with what a build would be asked for now; throws AppError before there was a complete config. */
export async function requestParameters(
  run: ActionRun<BuilderConfig>,
  environment: CharmEnvironment,
): Promise<readonly string[]> {
  const { requestFile } = pathsOf(environment.root, run.context.unit);
  try {
    await access(requestFile);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new AppError("cannot ask the clouds: the options were never complete; see the unit's status", {
      cause: error,
    });
  }
  return ["--request", requestFile];
}

/** Gives the command's output as the action's result `output`; the action fails when the command did. */
export async function answer(run: ActionRun<BuilderConfig>, result: CommandResult): Promise<void> {
  if (result.output !== "") await run.action.setResults({ output: result.output });
  if (result.problem !== null) await run.action.fail(result.problem);
}
