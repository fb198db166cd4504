/** Runs one call of a hook command: finds it, reads its flags, prints its result (contract 3.1). */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseCommandLine, type FlagSpec } from "../command-line.ts";
import type { HookContext } from "../context.ts";
import { CommandFailure, InputWanted, UsageFailure } from "../failures.ts";
import { FORMATS, formatValue, type Format } from "../format.ts";
import { atLeast, type Model } from "../model.ts";
import type { Call, Command } from "./command.ts";
import { configCommands } from "./config.ts";
import { machineCommands } from "./machine.ts";
import { networkCommands } from "./network.ts";
import { portCommands } from "./ports.ts";
import { relationCommands } from "./relations.ts";
import { secretReadCommands } from "./secret-read.ts";
import { secretWriteCommands } from "./secret-write.ts";
import { statusCommands } from "./status.ts";
import { storageCommands } from "./storage.ts";
import { stateCommands } from "./unit-state.ts";

/** All hook commands of every Juju version. */
const COMMANDS: Readonly<Record<string, Command>> = {
  ...relationCommands,
  ...statusCommands,
  ...configCommands,
  ...secretReadCommands,
  ...secretWriteCommands,
  ...machineCommands,
  ...networkCommands,
  ...portCommands,
  ...stateCommands,
  ...storageCommands,
};

/** What a program gives back. */
export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One request of a hook-command program. */
export interface Request {
  readonly command: string;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly input: string | undefined;
}

/** The names of the commands that the model's version of Juju has. */
export function commandNames(model: Model): readonly string[] {
  return Object.keys(COMMANDS).filter((name) => {
    const { since = [0, 0], goneIn } = COMMANDS[name] ?? {};
    return atLeast(model, ...since) && (goneIn === undefined || !atLeast(model, goneIn, 0));
  });
}

/** The outcome of `request` in `context`, or `"input"` when the client must send its standard input first. */
export function runCommand(
  model: Model,
  context: HookContext,
  request: Request,
  files: Record<string, string>,
  log: Call["log"],
): Outcome | "input" {
  const command = commandNames(model).includes(request.command) ? COMMANDS[request.command] : undefined;
  if (command === undefined) return failed(1, `bad request: unknown command: ${request.command}`);
  try {
    const flags: readonly FlagSpec[] = [
      ...command.flags(model, context),
      { names: ["help", "h"], kind: "bool" },
      ...(command.output === "raw" ? [] : outputFlags(command.formats ?? FORMATS)),
    ];
    const line = parseCommandLine(request.words, flags);
    if (line.flags.has("help"))
      return { exit: 0, stdout: `Usage: ${request.command} [options]\n`, stderr: "" };
    const { cwd, input } = request;
    const value = command.run({ model, context, unit: context.unit, line, cwd, input, files, log });
    if (command.output === "raw") return { exit: 0, stdout: String(value), stderr: "" };
    const format = (line.values.get("format")?.[0] ?? command.output) as Format;
    const stdout = formatValue(value, format);
    const file = line.values.get("output")?.[0];
    if (file === undefined) return { exit: 0, stdout, stderr: "" };
    writeFileSync(resolve(cwd, file), stdout);
    return { exit: 0, stdout: "", stderr: "" };
  } catch (error) {
    if (error instanceof InputWanted) return "input";
    if (error instanceof UsageFailure) return failed(2, error.message);
    if (error instanceof CommandFailure) return failed(1, error.message);
    throw error;
  }
}

const outputFlags = (formats: readonly string[]): readonly FlagSpec[] => [
  {
    names: ["format"],
    kind: "string",
    check: (text) => {
      if (!formats.includes(text)) throw new Error(`unknown format ${JSON.stringify(text)}`);
      return text;
    },
  },
  { names: ["output", "o"], kind: "string" },
];

/** The outcome of a failed command. */
export function failed(exit: number, message: string): Outcome {
  return { exit, stdout: "", stderr: `ERROR ${message}\n` };
}
