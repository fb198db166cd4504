/** `state-get`, `state-set`, `state-delete`: what a unit keeps in the controller (contract 3.2). */
import { CommandFailure, UsageFailure } from "../failures.ts";
import { readStringMap } from "../yaml.ts";
import { atMost, firstValue, keyValues, noFlags, readInput, type Call, type Command } from "./command.ts";

const stateOf = ({ context, unit }: Call): ReadonlyMap<string, string> => context.pending.state ?? unit.state;

const stateGet: Command = {
  flags: () => [{ names: ["strict"], kind: "bool" }],
  output: "smart",
  run: (call) => {
    atMost(call, 1);
    const [key = "-"] = call.line.parameters;
    const state = stateOf(call);
    if (key === "-") return state.size === 0 ? null : Object.fromEntries(state);
    const value = state.get(key);
    if (value === undefined && call.line.flags.has("strict")) throw new CommandFailure(`"${key}" not found`);
    return value ?? "";
  },
};

const stateSet: Command = {
  flags: () => [{ names: ["file"], kind: "string" }],
  output: "raw",
  run: (call) => {
    const words = keyValues(call.line.parameters, false);
    const file = firstValue(call, "file");
    const changes = new Map([...(file === undefined ? [] : readStringMap(readInput(call, file))), ...words]);
    for (const [key, value] of changes) {
      if (Buffer.byteLength(key) > 256) throw new CommandFailure("max allowed key length (256) exceeded");
      if (Buffer.byteLength(value) > 65_536)
        throw new CommandFailure("max allowed value length (65536) exceeded");
    }
    call.context.pending.state = new Map([...stateOf(call), ...changes]);
    return "";
  },
};

const stateDelete: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    const [key] = call.line.parameters;
    if (key === undefined) throw new UsageFailure("no key specified");
    atMost(call, 1);
    call.context.pending.state = new Map([...stateOf(call)].filter(([name]) => name !== key));
    return "";
  },
};

/** The commands about the unit's state. */
export const stateCommands: Readonly<Record<string, Command>> = {
  "state-get": stateGet,
  "state-set": stateSet,
  "state-delete": stateDelete,
};
