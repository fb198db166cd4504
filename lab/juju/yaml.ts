/** YAML as Juju's Go library reads and writes it. */
import { CORE_SCHEMA, FAILSAFE_SCHEMA, YAML11_SCHEMA, dump, load, nullYaml11Tag } from "js-yaml";
import { CommandFailure } from "./failures.ts";

/** Characters that go-yaml v2 refuses anywhere in its input. */
// oxlint-disable-next-line no-control-regex
const REFUSED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u0084\u0086-\u009f\ufffe\uffff]/;

/** An odd run of backslashes before a surrogate's code: go-yaml refuses it, so JSON's ASCII escaping fails. */
const SURROGATE_ESCAPE = /(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F][0-9a-fA-F]{2}/;

/** Line breaks of YAML 1.1 that JSON passes raw: inside a quoted text they fold to one space. */
const NEXT_LINE = /[ \t]*\u0085[ \t]*/g;

/**
 * Reads the YAML 1.1 map of texts that `--file` accepts (contract 3.3). Scalars keep their spelling
 * (`yes`, `1.0`), null becomes the empty text.
 */
export function readStringMap(text: string): Map<string, string> {
  if (REFUSED.test(text)) throw new CommandFailure("yaml: control characters are not allowed");
  if (text.includes('"') && SURROGATE_ESCAPE.test(text)) {
    throw new CommandFailure("yaml: found invalid Unicode character escape code");
  }
  const value = parse(text.replace(NEXT_LINE, " "));
  if (value === null || value === undefined) return new Map();
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new CommandFailure(
      `yaml: unmarshal errors:\n  line 1: cannot unmarshal ${tagOf(value)} into map[string]string`,
    );
  }
  return new Map(
    Object.entries(value).map(([key, entry]) => {
      if (entry === null) return [key, ""];
      if (typeof entry === "string") return [key, entry];
      throw new CommandFailure(
        `yaml: unmarshal errors:\n  line 1: cannot unmarshal ${tagOf(entry)} into string`,
      );
    }),
  );
}

function parse(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return load(text, { schema: FAILSAFE_SCHEMA.withTags(nullYaml11Tag) });
  } catch (error) {
    const [line = ""] = String(error instanceof Error ? error.message : error).split("\n");
    throw new CommandFailure(`yaml: ${line}`, { cause: error });
  }
}

function tagOf(value: unknown): string {
  if (Array.isArray(value)) return "!!seq";
  return typeof value === "object" ? "!!map" : "!!str";
}

/** `value` as a YAML document with sorted keys, ending in a line break. */
export function writeYaml(value: unknown): string {
  return dump(value, {
    sortKeys: true,
    schema: YAML11_SCHEMA,
    seqNoIndent: true,
    lineWidth: -1,
    quoteStyle: "double",
    noRefs: true,
  });
}

/** The content of a charm's own YAML file. */
export function readYaml(text: string): unknown {
  return text.trim() === "" ? {} : load(text, { schema: CORE_SCHEMA });
}
