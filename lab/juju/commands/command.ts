/** What a hook command is made of. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandLine, FlagSpec } from "../command-line.ts";
import type { HookContext } from "../context.ts";
import { FORMATS, type Format } from "../format.ts";
import { CommandFailure, InputWanted, UsageFailure } from "../failures.ts";
import type { Model, Relation, Unit } from "../model.ts";

/** One record of the log. */
export interface LogRecord {
  readonly time: string;
  readonly unit: string;
  readonly module: string;
  readonly level: "TRACE" | "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
  readonly message: string;
}

/** One call of a hook command, with everything it may look at. */
export interface Call {
  readonly model: Model;
  readonly context: HookContext;
  readonly unit: Unit;
  readonly line: CommandLine;
  readonly cwd: string;
  /** Standard input, once the client has sent it. */
  readonly input: string | undefined;
  /** Contents of the files that the agent read for this call, by path as given. */
  readonly files: Record<string, string>;
  readonly log: (level: LogRecord["level"], module: string, message: string) => void;
}

/** A hook command. With `output` its result is printed by `--format`, which starts as given; else `run` gives the text itself. */
export interface Command {
  readonly flags: (model: Model, context: HookContext) => readonly FlagSpec[];
  readonly output: "smart" | "yaml" | "raw";
  /** What `--format` takes; all three without it. */
  readonly formats?: readonly Format[];
  readonly run: (call: Call) => unknown;
  /** The first version of Juju with this command. */
  readonly since?: readonly [number, number, number?];
  /** The first major version of Juju without it. */
  readonly goneIn?: number;
}

/** A command without flags of its own. */
export const noFlags = (): readonly FlagSpec[] => [];

/** `-r`, `--relation`: checked while flags are parsed, so an unknown one is a usage error. */
export function relationFlag(context: HookContext): FlagSpec {
  return {
    names: ["relation", "r"],
    kind: "string",
    check: (text) => {
      const digits = /^(?:.*:)?(\d+)$/.exec(text)?.[1];
      if (digits === undefined) throw new Error("invalid relation id");
      if (!context.agent.relations.has(Number(digits))) throw new Error("relation not found");
      return digits;
    },
  };
}

/** The relation that `-r` or else the context names. */
export function relationOf(call: Call): Relation {
  const text = firstValue(call, "relation");
  const id = text === undefined ? call.context.relation?.id : Number(text);
  if (id === undefined) throw new UsageFailure("no relation id specified");
  const relation = call.model.relations.get(id);
  if (relation === undefined) throw new UsageFailure("relation not found");
  return relation;
}

/** The format in which the command's result will be printed; `preset` without `--format`. */
export function formatOf(call: Call, preset: Format): Format {
  const asked = firstValue(call, "format");
  return FORMATS.find((format) => format === asked) ?? preset;
}

/** The value of a flag, by its first name. */
export function firstValue(call: Call, flag: string): string | undefined {
  return call.line.values.get(flag)?.[0];
}

/** The content of the file `path` names for the agent; `-` is standard input. */
export function readInput(call: Call, path: string): string {
  if (path === "-") {
    if (call.input === undefined) throw new InputWanted();
    return call.input;
  }
  try {
    const text = readFileSync(resolve(call.cwd, path), "utf8");
    call.files[path] = text;
    return text;
  } catch (error) {
    throw new CommandFailure(`open ${path}: no such file or directory`, { cause: error });
  }
}

/** Throws the usage error for words that are too many. */
export function atMost(call: Call, count: number): void {
  const extra = call.line.parameters.slice(count);
  if (extra.length > 0) {
    throw new UsageFailure(`unrecognized args: [${extra.map((word) => JSON.stringify(word)).join(" ")}]`);
  }
}

/** `key=value` words as a map, or the errors of contract 3.2. */
export function keyValues(words: readonly string[], trim: boolean): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    if (at < 1) throw new UsageFailure(`expected "key=value", got ${JSON.stringify(word)}`);
    const [key, value] = [word.slice(0, at), word.slice(at + 1)];
    if (pairs.has(key)) throw new UsageFailure(`key "${key}" specified more than once`);
    pairs.set(key, trim ? value.trim() : value);
  }
  return pairs;
}

/** Whether the calling unit leads its application now. */
export function isLeader({ unit }: Call): boolean {
  return unit.application.leader === unit.name;
}
