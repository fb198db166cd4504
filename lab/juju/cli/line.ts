/** What the commands of the stand-alone fake are made of. */
import { AppError } from "../../../src/base/errors.ts";
import { minutes } from "../../../src/base/deadline.ts";
import type { CommandLine, FlagSpec } from "../command-line.ts";
import type { Outcome } from "../commands/run.ts";
import type { FakeJuju } from "../fake-juju.ts";
import { readYaml } from "../yaml.ts";

/** One command; a text it gives goes to standard output. */
export interface AdminCommand {
  readonly usage: string;
  readonly flags?: readonly FlagSpec[];
  readonly run: (juju: FakeJuju, line: CommandLine, cwd: string) => Promise<string | Outcome>;
}

/** Commands by name. */
export type AdminCommands = Readonly<Record<string, AdminCommand>>;

/** A flag with a value. */
export const text = (...names: readonly [string, ...string[]]): FlagSpec => ({ names, kind: "string" });
/** The value of a flag of {@link text}. */
export const value = (line: CommandLine, flag: string): string | undefined => line.values.get(flag)?.[0];

/** The words of a command line, as many as `names` says; throws for a missing one. */
export function words(line: CommandLine, ...names: readonly string[]): readonly string[] {
  return names.map((name, index) => {
    const word = line.parameters[index];
    if (word === undefined) throw new AppError(`cannot do that without ${name}`);
    return word;
  });
}

/** `key=value` words as an object. */
export function pairs(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf("=");
      if (at < 1) throw new AppError(`cannot read "${entry}": expected key=value`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** Values as YAML reads them (`3`, `true`), for action parameters. */
export const typed = (entries: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(pairs(entries)).map(([key, entry]) => [key, readYaml(entry)]));

/** Waits for the hooks; `what` is then the output. */
export async function settled(juju: FakeJuju, what: string): Promise<string> {
  await juju.settle({ signal: AbortSignal.timeout(minutes(60)) });
  return what === "" ? "" : `${what}\n`;
}
