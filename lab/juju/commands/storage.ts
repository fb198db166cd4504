/** `storage-list`, `storage-get`, `storage-add` (contract 3.2). */
import { CommandFailure, UsageFailure } from "../failures.ts";
import { atMost, firstValue, noFlags, type Command } from "./command.ts";

const storageList: Command = {
  flags: noFlags,
  output: "smart",
  run: (call) => {
    atMost(call, 1);
    const [name] = call.line.parameters;
    return [...call.unit.storage.values()]
      .filter((instance) => name === undefined || instance.name === name)
      .map(({ id }) => id);
  },
};

const storageGet: Command = {
  flags: (_, { unit }) => [
    {
      names: ["s"],
      kind: "string",
      check: (text) => {
        if (!/^[a-z][a-z0-9-]*\/\d+$/.test(text))
          throw new Error(`invalid storage ID ${JSON.stringify(text)}`);
        if (!unit.storage.has(text)) throw new Error("storage not found");
        return text;
      },
    },
  ],
  output: "smart",
  run: (call) => {
    const id = firstValue(call, "s") ?? call.context.storage?.id;
    if (id === undefined) throw new UsageFailure("no storage instance specified");
    atMost(call, 1);
    const instance = call.unit.storage.get(id);
    if (instance === undefined) throw new CommandFailure("storage not found");
    const values = { kind: instance.kind, location: instance.location };
    const [key = ""] = call.line.parameters;
    if (key === "") return values;
    if (key !== "kind" && key !== "location")
      throw new CommandFailure(`invalid storage attribute ${JSON.stringify(key)}`);
    return values[key];
  },
};

const storageAdd: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    const words = call.line.parameters;
    if (words.length === 0) throw new UsageFailure("storage add requires a storage directive");
    const wanted = new Map<string, number>();
    for (const word of words) {
      const [name = "", count = "1", ...rest] = word.split("=");
      if (name === "" || rest.length > 0)
        throw new UsageFailure(`expected "name=directive" or "name", got ${JSON.stringify(word)}`);
      if (wanted.has(name)) throw new UsageFailure(`storage "${name}" specified more than once`);
      if (!/^\d+$/.test(count)) throw new UsageFailure(`only count can be specified for "${name}"`);
      wanted.set(name, Number(count));
    }
    const { storage } = call.context.pending;
    for (const [name, count] of wanted) storage.set(name, (storage.get(name) ?? 0) + count);
    return "";
  },
};

/** The commands about storage. */
export const storageCommands: Readonly<Record<string, Command>> = {
  "storage-list": storageList,
  "storage-get": storageGet,
  "storage-add": storageAdd,
};
