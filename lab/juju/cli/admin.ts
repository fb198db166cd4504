/** The commands of the stand-alone fake, carried out on a running one. */
import { describe } from "../../../src/base/errors.ts";
import { parseCommandLine } from "../command-line.ts";
import { failed, type Outcome } from "../commands/run.ts";
import type { FakeJuju } from "../fake-juju.ts";
import { writeYaml } from "../yaml.ts";
import { applicationCommands } from "./applications.ts";
import type { AdminCommands } from "./line.ts";
import { relationCommands } from "./relations.ts";
import { secretCommands } from "./secrets.ts";
import { statusTable } from "./status-table.ts";
import { unitCommands } from "./units.ts";

const COMMANDS: AdminCommands = {
  ...applicationCommands,
  ...relationCommands,
  ...secretCommands,
  ...unitCommands,
  status: {
    usage: "[--yaml] (everything, with histories)",
    flags: [{ names: ["yaml"], kind: "bool" }],
    run: async (juju, line) =>
      line.flags.has("yaml") ? writeYaml(juju.status()) : statusTable(juju.status()),
  },
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
