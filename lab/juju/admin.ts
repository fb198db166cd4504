/** The commands of the stand-alone fake, carried out on a running one. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError, describe } from "../../src/base/errors.ts";
import { minutes } from "../../src/base/deadline.ts";
import { parseCommandLine, type CommandLine, type FlagSpec } from "./command-line.ts";
import type { ConfigValue, Endpoint } from "./charm.ts";
import { failed, type Outcome } from "./commands/run.ts";
import type { FakeJuju } from "./fake-juju.ts";
import { readStringMap, readYaml, writeYaml } from "./yaml.ts";

interface AdminCommand {
  readonly usage: string;
  readonly flags?: readonly FlagSpec[];
  /** What goes to standard output. */
  readonly run: (juju: FakeJuju, line: CommandLine, cwd: string) => Promise<string | Outcome>;
}

const text = (...names: readonly [string, ...string[]]): FlagSpec => ({ names, kind: "string" });
const value = (line: CommandLine, flag: string): string | undefined => line.values.get(flag)?.[0];

/** The words of a command line, as many as `names` says; throws for a missing one. */
function words(line: CommandLine, ...names: readonly string[]): readonly string[] {
  return names.map((name, index) => {
    const word = line.parameters[index];
    if (word === undefined) throw new AppError(`cannot do that without ${name}`);
    return word;
  });
}

function pairs(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf("=");
      if (at < 1) throw new AppError(`cannot read "${entry}": expected key=value`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** Values as YAML reads them (`3`, `true`), for action parameters. */
const typed = (entries: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(pairs(entries)).map(([key, entry]) => [key, readYaml(entry)]));

async function settled(juju: FakeJuju, what: string): Promise<string> {
  await juju.settle({ signal: AbortSignal.timeout(minutes(60)) });
  return what === "" ? "" : `${what}\n`;
}

const COMMANDS: Readonly<Record<string, AdminCommand>> = {
  deploy: {
    usage: "DIR [NAME] [--units N] [--link] [--config k=v]...",
    flags: [text("units", "n"), { names: ["link"], kind: "bool" }, { names: ["config"], kind: "list" }],
    run: async (juju, line, cwd) => {
      const [directory = ""] = words(line, "the charm's folder");
      const charm = resolve(cwd, directory);
      const name = line.parameters[1] ?? charm.replace(/^.*\//, "");
      await juju.deploy(name, {
        charm,
        units: Number(value(line, "units") ?? 1),
        link: line.flags.has("link"),
        config: pairs(line.values.get("config") ?? []),
      });
      return await settled(juju, name);
    },
  },
  scripted: {
    usage: "NAME ENDPOINT:INTERFACE:ROLE [--units N]",
    flags: [text("units", "n")],
    run: async (juju, line) => {
      const [name = "", spec = ""] = words(line, "a name", "an endpoint");
      const [endpoint = "", type = "", role = "requires"] = spec.split(":");
      const endpoints = { [endpoint]: { interface: type, role: role as Endpoint["role"] } };
      juju.addScriptedApplication(name, { endpoints, units: Number(value(line, "units") ?? 1) });
      return "";
    },
  },
  config: {
    usage: "APP k=v...",
    run: async (juju, line) => {
      const [name = ""] = words(line, "an application");
      const options: Record<string, ConfigValue> = pairs(line.parameters.slice(1));
      await juju.setConfig(name, options);
      return await settled(juju, "");
    },
  },
  relate: {
    usage: "APP:ENDPOINT APP:ENDPOINT",
    run: async (juju, line) => {
      const [a = "", b = ""] = words(line, "an endpoint", "a second endpoint");
      return await settled(juju, String(await juju.relate(a, b)));
    },
  },
  "remove-relation": {
    usage: "ID",
    run: async (juju, line) => {
      await juju.removeRelation(Number(words(line, "a relation's id")[0]));
      return await settled(juju, "");
    },
  },
  "set-data": {
    usage: "RELATION-ID UNIT k=v...",
    run: async (juju, line) => {
      const [id = "", unit = ""] = words(line, "a relation's id", "a unit");
      juju.setUnitData(Number(id), unit, pairs(line.parameters.slice(2)));
      return await settled(juju, "");
    },
  },
  data: {
    usage: "RELATION-ID UNIT",
    run: async (juju, line) => {
      const [id = "", unit = ""] = words(line, "a relation's id", "a unit");
      return writeYaml(juju.unitData(Number(id), unit));
    },
  },
  "run-action": {
    usage: "UNIT ACTION k=v...",
    run: async (juju, line) => {
      const [unit = "", action = ""] = words(line, "a unit", "an action");
      const outcome = await juju.runAction(unit, action, typed(line.parameters.slice(2)));
      return { exit: outcome.status === "completed" ? 0 : 1, stdout: writeYaml({ ...outcome }), stderr: "" };
    },
  },
  exec: {
    usage: "UNIT COMMANDS",
    run: async (juju, line) => {
      const [unit = "", commands = ""] = words(line, "a unit", "commands");
      return await juju.exec(unit, commands);
    },
  },
  "add-secret": {
    usage: "FILE (a YAML map of texts)",
    run: async (juju, line, cwd) => {
      const [file = ""] = words(line, "a file");
      return `${juju.addSecret(Object.fromEntries(readStringMap(await readFile(resolve(cwd, file), "utf8"))))}\n`;
    },
  },
  "update-secret": {
    usage: "URI FILE",
    run: async (juju, line, cwd) => {
      const [uri = "", file = ""] = words(line, "a secret", "a file");
      juju.updateSecret(uri, Object.fromEntries(readStringMap(await readFile(resolve(cwd, file), "utf8"))));
      return await settled(juju, "");
    },
  },
  "grant-secret": {
    usage: "URI APP",
    run: async (juju, line) => {
      const [uri = "", name = ""] = words(line, "a secret", "an application");
      juju.grantSecret(uri, name);
      return "";
    },
  },
  "update-status": {
    usage: "UNIT",
    run: async (juju, line) => {
      await juju.updateStatus(words(line, "a unit")[0] ?? "");
      return await settled(juju, "");
    },
  },
  resolve: {
    usage: "UNIT",
    run: async (juju, line) => {
      await juju.resolve(words(line, "a unit")[0] ?? "");
      return await settled(juju, "");
    },
  },
  "upgrade-charm": {
    usage: "APP DIR",
    run: async (juju, line, cwd) => {
      const [name = "", directory = ""] = words(line, "an application", "a folder");
      await juju.upgradeCharm(name, resolve(cwd, directory));
      return await settled(juju, "");
    },
  },
  "remove-unit": {
    usage: "UNIT",
    run: async (juju, line) => {
      await juju.removeUnit(words(line, "a unit")[0] ?? "");
      return await settled(juju, "");
    },
  },
  status: { usage: "", run: async (juju) => writeYaml(juju.status()) },
  "show-log": {
    usage: "",
    run: async (juju) =>
      juju
        .logs()
        .map(({ time, unit, level, module, message }) => `${time} ${unit} ${level} ${module} ${message}\n`)
        .join(""),
  },
  journal: {
    usage: "(one JSON line a call)",
    run: async (juju) =>
      juju
        .journal()
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(""),
  },
};

/** The commands and their arguments, one a line. */
export function adminUsage(): string {
  return Object.entries(COMMANDS)
    .map(([name, { usage }]) => `  ${name} ${usage}\n`)
    .join("");
}

/** Carries out one command line (`command`, its words) for a caller in `cwd`; errors become a line and exit code 1. */
export async function administer(
  juju: FakeJuju,
  cwd: string,
  command: string,
  rest: readonly string[],
): Promise<Outcome> {
  const known = COMMANDS[command];
  if (known === undefined)
    return failed(2, `unknown command ${JSON.stringify(command)}; known are:\n${adminUsage()}`);
  try {
    const result = await known.run(juju, parseCommandLine(rest, known.flags ?? []), cwd);
    return typeof result === "string" ? { exit: 0, stdout: result, stderr: "" } : result;
  } catch (error) {
    return failed(1, describe(error));
  }
}
