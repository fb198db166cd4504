/** `npm run lab -- faults`: the proxy for a person at a shell. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { AppError, asError } from "../../src/base/errors.ts";
import { labCloud, type LabKind } from "../layout.ts";
import { startFaultProxy } from "./proxy.ts";
import { parseRules } from "./rules.ts";

/** Runs a proxy before the lab's cloud until `signal` fires. Throws {@link AppError} for flags and rules that are wrong. */
export async function runFaultProxy(
  kind: LabKind,
  flags: readonly string[],
  options: { readonly log: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { port, rules } = readFlags(flags);
  const parsed = rules === undefined ? [] : parseRules(await readFile(rules, "utf8"));
  await using proxy = await startFaultProxy(labCloud(kind).authUrl, { port, rules: parsed });
  const control = `${new URL(proxy.authUrl).origin}/_faults`;
  options.log(`sign in at ${proxy.authUrl}`);
  options.log(`rules      GET, PUT ${control}/rules (now ${parsed.length})`);
  options.log(`conditions GET, PUT ${control}/conditions; POST ${control}/revoke`);
  options.log(`calls      GET, DELETE ${control}/calls`);
  if (!options.signal.aborted) await once(options.signal, "abort");
}

function readFlags(flags: readonly string[]): { readonly port: number; readonly rules: string | undefined } {
  try {
    const { values } = parseArgs({
      args: [...flags],
      options: {
        fake: { type: "boolean" },
        port: { type: "string", default: "0" },
        rules: { type: "string" },
      },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new AppError(`--port must be a number up to 65535, not "${values.port}"`);
    return { port, rules: values.rules };
  } catch (error) {
    throw new AppError(asError(error).message, { cause: error });
  }
}
