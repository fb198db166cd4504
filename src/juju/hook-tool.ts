/** Running hook commands as processes (juju-rules 3.1). */
import { withDeadline } from "../base/deadline.ts";
import { AppError } from "../base/errors.ts";
import { exec, execBlocking, type ExecResult } from "../base/exec.ts";
import type { JujuContext } from "./context.ts";
import { HookCommandError } from "./errors.ts";
import type { JujuVersion } from "./version.ts";

/** Hook commands answer in milliseconds; one that takes this long hangs, and with it every unit on the machine. */
const DEFAULT_LIMIT_MS = 30_000;

/** The kernel refuses a single argument above 131071 bytes (E2BIG). */
export const MAX_ARGUMENT_BYTES = 131_071;

/** How one call differs from the others. */
export interface RunOptions {
  /** Standard input, for commands given `--file -`; the others read from /dev/null. */
  readonly input?: string;
  readonly limitMs?: number;
}

/** The door to the hook commands of one dispatch. */
export interface HookTool {
  readonly version: JujuVersion;
  /**
   * Runs `command` and gives its standard output. Throws {@link HookCommandError} for an exit code other
   * than 0, DeadlineError when it hangs, the signal's reason when the dispatch is cancelled.
   */
  readonly run: (command: string, parameters: readonly string[], options?: RunOptions) => Promise<string>;
}

/** A tool whose calls end with `signal`, and after `limitMs` each. */
export function openHookTool(
  context: JujuContext,
  options: { readonly signal: AbortSignal; readonly limitMs?: number },
): HookTool {
  const { version, toolEnvironment: env } = context;
  return {
    version,
    run: async (command, parameters, { input, limitMs = options.limitMs ?? DEFAULT_LIMIT_MS } = {}) => {
      checkSizes(command, parameters);
      const result = await withDeadline(options.signal, limitMs, command, (signal) =>
        exec(command, parameters, { env, signal, ...(input === undefined ? {} : { input }) }),
      );
      return outputOf(command, result);
    },
  };
}

/**
 * A tool that holds up the whole process during each call: cheaper, for a process that only asks a little, one thing
 * after the other, and leaves signals to the system. Its calls end after 30 seconds if they name no limit of their own.
 */
export function openBlockingHookTool({ version, toolEnvironment: env }: JujuContext): HookTool {
  return {
    version,
    run: async (command, parameters, { input, limitMs = DEFAULT_LIMIT_MS } = {}) => {
      checkSizes(command, parameters);
      return outputOf(command, execBlocking(command, parameters, { env, input, limitMs }));
    },
  };
}

function outputOf(command: string, { code, stdout, stderr }: ExecResult): string {
  if (code !== 0) throw new HookCommandError(command, code, stderr);
  return stdout;
}

function checkSizes(command: string, parameters: readonly string[]): void {
  for (const parameter of parameters) {
    const bytes = Buffer.byteLength(parameter);
    if (bytes > MAX_ARGUMENT_BYTES) {
      throw new AppError(
        `cannot run ${command}: an argument has ${bytes} bytes, the limit is ${MAX_ARGUMENT_BYTES}`,
      );
    }
  }
}

/**
 * Runs `command` with `--format=json` and gives the decoded output; `null` is an ordinary answer of many
 * commands. Throws AppError for what is not JSON, without a word of it: it may be a secret.
 */
export async function runJson(
  tool: HookTool,
  command: string,
  parameters: readonly string[],
): Promise<unknown> {
  const output = await tool.run(command, ["--format=json", ...parameters]);
  try {
    return JSON.parse(output) as unknown;
  } catch {
    // the parser's message quotes the output: neither it nor a cause may go on
    throw new AppError(`cannot read the output of ${command}: it is not JSON (${output.length} characters)`);
  }
}

/**
 * Throws AppError when the agent is older than the first version that has `feature`. An agent of unknown version
 * gets the benefit of the doubt: it refuses by itself what it lacks.
 */
export function requireVersion(tool: HookTool, first: string, feature: string): void {
  if (!tool.version.isKnown || tool.version.atLeast(first)) return;
  throw new AppError(`cannot use ${feature}: it needs Juju ${first}, this agent is ${tool.version.text}`);
}
