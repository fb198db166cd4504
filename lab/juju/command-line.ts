/** Flags as Go's gnuflag reads them (contract 3.1). */
import { UsageFailure } from "./failures.ts";

/** One flag. The first name is the key under which its value is found; names of one letter take one dash. */
export interface FlagSpec {
  readonly names: readonly [string, ...string[]];
  readonly kind: "bool" | "string" | "list";
  /** Checks and converts at parse time; throws an Error whose message ends the `invalid value` line. */
  readonly check?: (value: string) => string;
}

/** What a command line held. Lists are the values of a repeated flag. */
export interface CommandLine {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly parameters: readonly string[];
}

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/** Reads `words`; flags may stand between parameters unless `interspersed` is false; `--` ends them. */
export function parseCommandLine(
  words: readonly string[],
  specs: readonly FlagSpec[],
  interspersed = true,
): CommandLine {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const parameters: string[] = [];
  const rest = [...words];

  const store = (spec: FlagSpec, shown: string, value: string): void => {
    let checked = value;
    try {
      checked = spec.check?.(value) ?? value;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UsageFailure(`invalid value ${JSON.stringify(value)} for option ${shown}: ${reason}`);
    }
    const [key] = spec.names;
    if (spec.kind === "list") values.set(key, [...(values.get(key) ?? []), checked]);
    else values.set(key, [checked]);
  };
  const storeBool = (spec: FlagSpec, shown: string, value: string): void => {
    if (TRUE.has(value)) flags.add(spec.names[0]);
    else if (FALSE.has(value)) flags.delete(spec.names[0]);
    else {
      throw new UsageFailure(
        `invalid value ${JSON.stringify(value)} for option ${shown}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    }
  };
  const find = (name: string, shown: string): FlagSpec => {
    const spec = specs.find(({ names }) => names.includes(name));
    if (spec === undefined) throw new UsageFailure(`option provided but not defined: ${shown}`);
    return spec;
  };

  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      parameters.push(...rest);
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      parameters.push(word);
      if (interspersed) continue;
      parameters.push(...rest);
      break;
    }
    if (word.startsWith("--")) {
      const [, name = "", equals, inline = ""] = /^--([^=]*)(=)?([^]*)$/.exec(word) ?? [];
      const shown = `--${name}`;
      const spec = find(name, shown);
      if (spec.kind === "bool") storeBool(spec, shown, equals === undefined ? "true" : inline);
      else {
        const value = equals === undefined ? rest.shift() : inline;
        if (value === undefined) throw new UsageFailure(`option needs an argument: ${shown}`);
        store(spec, shown, value);
      }
      continue;
    }
    for (let letters = word.slice(1); letters !== "";) {
      const shown = `-${letters.charAt(0)}`;
      const spec = find(letters.charAt(0), shown);
      letters = letters.slice(1);
      if (spec.kind === "bool") {
        if (letters.startsWith("=")) {
          storeBool(spec, shown, letters.slice(1));
          letters = "";
        } else storeBool(spec, shown, "true");
        continue;
      }
      const value = letters === "" ? rest.shift() : letters.replace(/^=/, "");
      if (value === undefined) throw new UsageFailure(`option needs an argument: ${shown}`);
      store(spec, shown, value);
      letters = "";
    }
  }
  return { flags, values, parameters };
}
