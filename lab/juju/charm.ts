/** What a charm folder declares, and the checks Juju makes against it. */
import { join } from "node:path";
import { AppError } from "../../src/base/errors.ts";
import { readOptional } from "../../src/base/files.ts";
import { checkParameters, type Schema } from "./schema.ts";
import { readYaml } from "./yaml.ts";

/** A value of a config option as `config-get --format=json` prints it. */
export type ConfigValue = string | number | boolean;

/** One declared config option. */
export interface ConfigOption {
  readonly type: "string" | "int" | "float" | "boolean" | "secret";
  readonly default: ConfigValue | undefined;
}

/** One declared endpoint. */
export interface Endpoint {
  readonly name: string;
  readonly interface: string;
  readonly role: "provides" | "requires" | "peers";
}

/** One declared action; `parameters` is the schema of the whole parameter object. */
export interface Action {
  readonly name: string;
  readonly parameters: Schema;
  /** Runs without the machine lock: `parallel` with no execution group. */
  readonly parallel: boolean;
}

/** What a charm folder declares. */
export interface Charm {
  readonly name: string;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly options: ReadonlyMap<string, ConfigOption>;
  readonly actions: ReadonlyMap<string, Action>;
  readonly extraBindings: readonly string[];
  /** Names under `storage`. */
  readonly storages: readonly string[];
}

type Tree = Readonly<Record<string, unknown>>;

/**
 * Reads `metadata.yaml`, `config.yaml`, `actions.yaml`, or a unified `charmcraft.yaml` (contract 6.1).
 * `additionalProperties` of an action without one is Juju `major`'s default: true before 4, false from 4 on.
 */
export async function readCharm(directory: string, major: number): Promise<Charm> {
  const file = async (name: string): Promise<Tree | undefined> => {
    const text = await readOptional(join(directory, name));
    return text === undefined ? undefined : asTree(readYaml(text), name);
  };
  const unified = (await file("charmcraft.yaml")) ?? {};
  const metadata = (await file("metadata.yaml")) ?? unified;
  const config = (await file("config.yaml")) ?? asTree(unified["config"] ?? {}, "config");
  const actions = (await file("actions.yaml")) ?? asTree(unified["actions"] ?? {}, "actions");
  if (typeof metadata["name"] !== "string") {
    throw new AppError(
      `cannot read charm ${directory}: neither metadata.yaml nor charmcraft.yaml gives a name`,
    );
  }
  const endpoints = new Map<string, Endpoint>();
  for (const role of ["provides", "requires", "peers"] as const) {
    for (const [name, entry] of Object.entries(asTree(metadata[role] ?? {}, role))) {
      const declared = asTree(entry, `${role}.${name}`);
      endpoints.set(name, { name, role, interface: String(declared["interface"]) });
    }
  }
  if (major >= 2) endpoints.set("juju-info", { name: "juju-info", role: "provides", interface: "juju-info" });
  return {
    name: metadata["name"],
    endpoints,
    options: new Map(
      Object.entries(asTree(config["options"] ?? {}, "options")).map(([name, entry]) => [
        name,
        readOption(name, asTree(entry, name)),
      ]),
    ),
    actions: new Map(
      Object.entries(actions).map(([name, entry]) => [
        name,
        readAction(name, asTree(entry ?? {}, name), major),
      ]),
    ),
    extraBindings: Object.keys(asTree(metadata["extra-bindings"] ?? {}, "extra-bindings")),
    storages: Object.keys(asTree(metadata["storage"] ?? {}, "storage")),
  };
}

function asTree(value: unknown, what: string): Tree {
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw new AppError(`cannot read ${what}: not a mapping`);
  return value as Tree;
}

function readOption(name: string, entry: Tree): ConfigOption {
  const type = (entry["type"] ?? "string") as ConfigOption["type"];
  if (!["string", "int", "float", "boolean", "secret"].includes(type)) {
    throw new AppError(`cannot read config option ${name}: unknown type ${JSON.stringify(type)}`);
  }
  const preset = entry["default"];
  if (preset === undefined || preset === null) return { type, default: undefined };
  if (!["string", "number", "boolean"].includes(typeof preset)) {
    throw new AppError(`cannot read config option ${name}: its default is no scalar`);
  }
  return { type, default: checkConfigValue(name, type, preset as ConfigValue) };
}

function readAction(name: string, entry: Tree, major: number): Action {
  const { params, required, additionalProperties } = entry;
  return {
    name,
    parameters: {
      type: "object",
      properties: asTree(params ?? {}, `${name}.params`) as Readonly<Record<string, Schema>>,
      required: Array.isArray(required) ? required.map(String) : [],
      additionalProperties: typeof additionalProperties === "boolean" ? additionalProperties : major < 4,
    },
    parallel: entry["parallel"] === true && entry["execution-group"] === undefined,
  };
}

/** `value` as the option's type holds it; throws with Juju's words when it does not fit. */
export function checkConfigValue(name: string, type: ConfigOption["type"], value: ConfigValue): ConfigValue {
  const refuse = (): never => {
    throw new AppError(`option "${name}" expected ${type}, got ${JSON.stringify(value)}`);
  };
  if (type === "boolean") {
    if (typeof value === "boolean") return value;
    return value === "true" || value === "false" ? value === "true" : refuse();
  }
  if (type === "int" || type === "float") {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number)) return refuse();
    return type === "float" || Number.isInteger(number) ? number : refuse();
  }
  if (typeof value !== "string") return refuse();
  if (type === "secret" && !/^secret:(\/\/[0-9a-f-]+\/)?[0-9a-z]{20}$/.test(value)) return refuse();
  return value;
}

/** The parameters an action runs with: `given` with the schema's defaults; or a text that lists the misfits. */
export function actionParameters(
  action: Action,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> | string {
  const filled: Record<string, unknown> = structuredClone(given);
  for (const [name, schema] of Object.entries(action.parameters.properties ?? {})) {
    if (filled[name] === undefined && schema.default !== undefined)
      filled[name] = structuredClone(schema.default);
  }
  const problems = checkParameters(filled, action.parameters, "(root)");
  return problems.length > 0 ? `validation failed: ${problems.join("; ")}` : filled;
}
