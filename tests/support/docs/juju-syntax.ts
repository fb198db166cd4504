/** The part of Juju's command line that pages use (Juju 3.6's reference of its CLI), and what of it names our charm. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { readActions, readOptions } from "../../../scripts/docs/declarations.ts";
import { APPLICATION, REPOSITORY } from "../charm.ts";

/** How one subcommand is called. */
interface Syntax {
  /** Least and most words beside the flags. */
  readonly words: readonly [number, number];
  /** Flags with a value. */
  readonly values?: readonly string[];
  /** Flags without one. */
  readonly flags?: readonly string[];
  /** Flags of which one may be given. */
  readonly oneOf?: readonly string[];
}

const MANY = Infinity;
const COMMANDS: Readonly<Record<string, Syntax>> = {
  "add-secret": { words: [1, MANY], values: ["file", "info"] },
  "add-unit": { words: [1, 1], values: ["n", "num-units", "to"] },
  config: { words: [1, MANY], values: ["reset", "file"] },
  "debug-log": { words: [0, 0], values: ["include", "level", "n", "lines"], flags: ["replay", "no-tail"] },
  deploy: {
    words: [1, 2],
    values: ["base", "channel", "config", "constraints", "n", "num-units", "to"],
    flags: ["trust"],
  },
  exec: { words: [1, MANY], values: ["unit", "application"] },
  "grant-secret": { words: [2, 2] },
  integrate: { words: [2, 2] },
  "model-config": { words: [0, MANY], values: ["reset"] },
  refresh: {
    words: [1, 1],
    values: ["path", "switch", "channel", "revision"],
    flags: ["force-units"],
    oneOf: ["path", "revision", "switch"],
  },
  "remove-application": { words: [1, MANY], flags: ["no-prompt", "force"] },
  "remove-relation": { words: [2, 2], flags: ["force"] },
  "remove-secret": { words: [1, 1] },
  "remove-unit": { words: [1, MANY], flags: ["no-prompt", "force"] },
  resolved: { words: [1, 1], flags: ["no-retry"] },
  "revoke-secret": { words: [2, 2] },
  run: { words: [2, MANY], values: ["wait", "format"], flags: ["background"] },
  "show-operation": { words: [1, 1], values: ["wait"] },
  "show-unit": { words: [1, MANY], values: ["endpoint"] },
  ssh: { words: [1, MANY] },
  status: { words: [0, MANY], values: ["watch", "format"], flags: ["relations"] },
  "update-secret": { words: [2, MANY], values: ["file"], flags: ["auto-prune"] },
};

/** The names of all subcommands. */
export const JUJU_COMMANDS: readonly string[] = Object.keys(COMMANDS);
/** All their flags, as they are written. */
export const JUJU_FLAGS: readonly string[] = Object.values(COMMANDS).flatMap(({ values = [], flags = [] }) =>
  [...values, ...flags].map((flag) => `--${flag}`),
);

/** A command line of Juju's, taken apart. */
export interface JujuLine {
  readonly command: string;
  readonly words: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Takes `argv` (without `juju`) apart; throws for what Juju would not understand. */
export function parseJuju([command = "", ...rest]: readonly string[]): JujuLine {
  const syntax = COMMANDS[command];
  if (syntax === undefined) throw new Error(`juju ${command} is not among the commands that pages use`);
  const words: string[] = [];
  const values = new Map<string, string[]>();
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? "";
    // what follows runs on the machine
    if (word === "--" || (command === "ssh" && words.length > 0)) {
      words.push(...rest.slice(word === "--" ? index + 1 : index));
      break;
    }
    const [, flag, , inline] = /^--?([a-z][a-z-]*)(=(.*))?$/.exec(word) ?? [];
    if (flag === undefined) words.push(word);
    else if (syntax.values?.includes(flag) === true) {
      if (inline === undefined) index += 1;
      values.set(flag, [...(values.get(flag) ?? []), inline ?? rest[index] ?? ""]);
    } else if (syntax.flags?.includes(flag) !== true) throw new Error(`juju ${command} has no flag ${word}`);
  }
  const rivals = syntax.oneOf?.filter((flag) => values.has(flag)) ?? [];
  if (rivals.length > 1) throw new Error(`juju ${command} takes one of ${rivals.join(", ")}`);
  const [least, most] = syntax.words;
  if (words.length < least || words.length > most)
    throw new Error(`juju ${command} takes ${least} to ${most} words, not ${words.join(" ")}`);
  return { command, words, values };
}

/** What this charm declares. */
export interface Declared {
  readonly options: ReturnType<typeof readOptions>;
  readonly actions: ReturnType<typeof readActions>;
  readonly endpoints: readonly string[];
}

/** Reads the charm's declarations. */
export async function readDeclared(): Promise<Declared> {
  const read = async (file: string): Promise<string> => await readFile(join(REPOSITORY, file), "utf8");
  const metadata = load(await read("metadata.yaml")) as Readonly<Record<string, object | undefined>>;
  return {
    options: readOptions(await read("config.yaml")),
    actions: readActions(await read("actions.yaml")),
    endpoints: Object.keys({ ...metadata["provides"], ...metadata["requires"] }),
  };
}

/** Throws where `line` names an option, an action, a parameter or an endpoint that the charm does not have. */
export function checkNames({ command, words, values }: JujuLine, declared: Declared): void {
  const [first = "", ...rest] = words;
  const options = (pairs: readonly string[]): void => {
    for (const pair of pairs) known(declared.options, pair.split("=")[0] ?? "", "option");
  };
  if (command === "config" && first === APPLICATION) {
    options(rest);
    options((values.get("reset") ?? []).flatMap((list) => list.split(",")));
  }
  if (command === "deploy" && rest[0] === APPLICATION) options(values.get("config") ?? []);
  if (command === "run" && first.startsWith(`${APPLICATION}/`)) {
    const [action = "", ...parameters] = rest;
    known(declared.actions, action, "action");
    for (const pair of parameters)
      known(declared.actions[action]?.params ?? {}, pair.split("=")[0] ?? "", "parameter");
  }
  if (command === "integrate" || command === "remove-relation") {
    for (const word of words) {
      const [application, endpoint] = word.split(":");
      if (application === APPLICATION && endpoint !== undefined && !declared.endpoints.includes(endpoint))
        throw new Error(`the charm has no endpoint ${endpoint}`);
    }
  }
}

function known(names: object, name: string, kind: string): void {
  if (!Object.hasOwn(names, name)) throw new Error(`the charm has no ${kind} ${name}`);
}
