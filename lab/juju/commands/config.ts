/** `config-get`, `action-get`, `action-set`, `action-fail`, `action-log` (contract 3.2). */
import type { ActionRun } from "../context.ts";
import { CommandFailure, UsageFailure } from "../failures.ts";
import type { Charm, ConfigValue } from "../charm.ts";
import type { Application } from "../model.ts";
import { atMost, noFlags, type Call, type Command } from "./command.ts";

/** The value of one option that `charm` declares: the set one, else the default, else `undefined`. */
export function configValue(
  application: Application,
  name: string,
  charm: Charm | undefined = application.charm,
): ConfigValue | undefined {
  const option = charm?.options.get(name);
  return option === undefined ? undefined : (application.config.get(name) ?? option.default);
}

const configGet: Command = {
  flags: () => [{ names: ["all", "a"], kind: "bool" }],
  output: "smart",
  run: (call) => {
    const [key = ""] = call.line.parameters;
    const all = call.line.flags.has("all");
    if (key !== "" && all)
      throw new UsageFailure(`cannot use argument --all together with key ${JSON.stringify(key)}`);
    atMost(call, 1);
    const { application, charm } = call.unit;
    if (key !== "") return configValue(application, key, charm) ?? null;
    const options = [...(charm?.options.keys() ?? [])];
    return Object.fromEntries(
      options
        .map((name) => [name, configValue(application, name, charm) ?? null] as const)
        .filter(([, value]) => all || value !== null),
    );
  },
};

function actionOf({ context }: Call): ActionRun {
  if (context.action === undefined) throw new CommandFailure("not running an action");
  return context.action;
}

const actionGet: Command = {
  flags: noFlags,
  output: "smart",
  run: (call) => {
    atMost(call, 1);
    let value: unknown = actionOf(call).parameters;
    for (const part of call.line.parameters[0]?.split(".") ?? []) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
      value = (value as Readonly<Record<string, unknown>>)[part];
    }
    return value ?? null;
  },
};

const RESERVED = new Set(["stdout", "stderr", "stdout-encoding", "stderr-encoding"]);
const SEGMENT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

const actionSet: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    const entries = call.line.parameters.map((word): readonly [readonly string[], string] => {
      const at = word.indexOf("=");
      if (at < 0) throw new UsageFailure(`argument ${JSON.stringify(word)} must be of the form key...=value`);
      const segments = word.slice(0, at).split(".");
      for (const segment of segments) {
        if (!SEGMENT.test(segment)) {
          throw new UsageFailure(
            `key ${JSON.stringify(segment)} must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric, hyphens and periods`,
          );
        }
        if (RESERVED.has(segment)) throw new UsageFailure(`cannot set reserved action key "${segment}"`);
      }
      return [segments, word.slice(at + 1)];
    });
    const { results } = actionOf(call);
    for (const [segments, value] of entries) setNested(results, segments, value);
    return "";
  },
};

function setNested(
  tree: Record<string, unknown>,
  [first = "", ...rest]: readonly string[],
  value: string,
): void {
  if (rest.length === 0) {
    tree[first] = value;
    return;
  }
  const known = tree[first];
  const branch = typeof known === "object" && known !== null ? (known as Record<string, unknown>) : {};
  tree[first] = branch;
  setNested(branch, rest, value);
}

const actionFail: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    atMost(call, 1);
    actionOf(call).failure =
      call.line.parameters[0] ?? "action failed without reason given, check action for errors";
    return "";
  },
};

const actionLog: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    if (call.line.parameters.length === 0) throw new UsageFailure("no message specified");
    actionOf(call).log.push(call.line.parameters.join(" "));
    return "";
  },
};

/** The commands about config and actions. */
export const configCommands: Readonly<Record<string, Command>> = {
  "config-get": configGet,
  "action-get": actionGet,
  "action-set": actionSet,
  "action-fail": actionFail,
  "action-log": actionLog,
};
