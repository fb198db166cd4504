/** What Juju reads of a charm: metadata, config, actions and manifest. */
import { load } from "js-yaml";
import * as v from "valibot";
import { checkConfigValue } from "../../lab/juju/charm.ts";
import { checkParameters, type Schema } from "../../lab/juju/schema.ts";
import { describe } from "../../src/base/errors.ts";
import { Actions, Config, Manifest, Metadata } from "./schemas.ts";
import { textOf, type CharmPackage } from "./package.ts";

/** Since this version Juju knows config options of the type secret (contract 3.2). */
const SECRET_OPTIONS = [3, 3] as const;

/** What Juju would refuse, or misunderstand, of the declarations. */
export function declarationProblems(charm: CharmPackage): readonly string[] {
  const problems: string[] = [];
  const metadata = read(charm, "metadata.yaml", Metadata, problems);
  const config = read(charm, "config.yaml", Config, problems);
  const actions = read(charm, "actions.yaml", Actions, problems);
  read(charm, "manifest.yaml", Manifest, problems);
  if (metadata !== undefined) problems.push(...endpointProblems(metadata));
  const options = Object.entries(config?.options ?? {});
  for (const [name, { type, default: preset }] of options) {
    if (preset === undefined) continue;
    try {
      checkConfigValue(name, type, preset);
    } catch (error) {
      problems.push(`config.yaml: the default does not fit: ${describe(error)}`);
    }
  }
  const secret = options.find(([, { type }]) => type === "secret")?.[0];
  if (
    secret !== undefined &&
    metadata !== undefined &&
    !assumesAtLeast(metadata.assumes ?? [], SECRET_OPTIONS)
  )
    problems.push(
      `metadata.yaml: assumes: needs "juju >= 3.3", because ${secret} is an option of the type secret`,
    );
  for (const [name, { params = {}, required = [] }] of Object.entries(actions ?? {}))
    problems.push(...parameterProblems(name, params, required));
  return problems;
}

/** The architectures of the manifest's bases; empty where it cannot be read. */
export function architecturesOf(charm: CharmPackage): readonly string[] {
  const manifest = read(charm, "manifest.yaml", Manifest, []);
  return [...new Set(manifest?.bases.flatMap(({ architectures }) => architectures))];
}

/** A file through its schema; `undefined`, with sentences added to `problems`, where it does not hold. */
function read<T>(
  charm: CharmPackage,
  path: string,
  schema: v.GenericSchema<unknown, T>,
  problems: string[],
): T | undefined {
  const text = textOf(charm, path);
  if (text === undefined) {
    problems.push(`${path}: is missing`);
    return undefined;
  }
  let document: unknown;
  try {
    document = load(text);
  } catch (error) {
    problems.push(`${path}: is no YAML: ${describe(error).split("\n")[0]}`);
    return undefined;
  }
  const parsed = v.safeParse(schema, document);
  if (parsed.success) return parsed.output;
  for (const issue of parsed.issues) {
    const place = [path, v.getDotPath(issue)].filter((part) => part !== null).join(": ");
    problems.push(`${place}: ${issue.type === "strict_object" ? keySentence(issue) : issue.message}`);
  }
  return undefined;
}

/** What is wrong with a mapping's keys. */
function keySentence({ expected }: v.BaseIssue<unknown>): string {
  if (expected === "never") return "is no key that Juju knows";
  return expected === "Object" ? "must be a mapping" : "is missing";
}

type Endpoints = v.InferOutput<typeof Metadata>;

function endpointProblems({ provides = {}, requires = {}, peers = {} }: Endpoints): readonly string[] {
  const names = [provides, requires, peers].flatMap((role) => Object.keys(role));
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [...twice].map((name) => `metadata.yaml: ${name}: is the name of two endpoints`);
}

/** Whether one of the assumptions that must hold is `juju >= least` or more. */
function assumesAtLeast(assumes: readonly unknown[], least: readonly [number, number]): boolean {
  return assumes.some((entry) => {
    const [, major = "", minor = "0"] = /^juju >= (\d+)(?:\.(\d+))?/.exec(String(entry)) ?? [];
    return Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1]);
  });
}

function parameterProblems(
  action: string,
  params: Readonly<Record<string, Schema>>,
  required: readonly string[],
): readonly string[] {
  const problems = required
    .filter((name) => params[name] === undefined)
    .map((name) => `actions.yaml: ${action}: requires the parameter ${name}, which it does not have`);
  for (const [name, schema] of Object.entries(params)) {
    if (schema.default === undefined) continue;
    for (const problem of checkParameters(schema.default, schema, name))
      problems.push(`actions.yaml: ${action}: the default does not fit: ${problem}`);
  }
  return problems;
}
