/** The process that a dispatch runs in: signals and the exit code (juju-rules 0.11, 1.4). */
import { CancelledError, describe } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import type { Charm } from "./charm.ts";
import { contextFromEnvironment } from "./context.ts";
import { CANCELLED, dispatch, type DispatchDeps } from "./dispatch.ts";

/** Room for sockets and children to close by themselves. */
const LINGER_MS = 2000;

/**
 * Runs one dispatch as the work of `process` and sets its exit code. Told to end by SIGTERM or SIGINT, it
 * cleans up and then dies by that same signal: only so does the agent take the hook as interrupted and run
 * it again, while a process that exits with 143 leaves the unit in error. A second signal ends it at once.
 */
export async function runHookProcess<Config>(
  charm: Charm<Config>,
  process: NodeJS.Process,
  deps: Omit<DispatchDeps, "stderr">,
): Promise<void> {
  const cancel = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    cancel.abort(new CancelledError(`received ${signal}`));
  };
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
  let code: number;
  try {
    const context = contextFromEnvironment(process.env);
    // Node opens the stream when it is first looked at
    const stderr = { write: (text: string) => process.stderr.write(text) };
    code = await dispatch(charm, context, { ...deps, stderr }, cancel.signal);
  } catch (error) {
    process.stderr.write(`${redact(describe(error))}\n`);
    code = 1;
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
  process.exitCode = code;
  if (code === CANCELLED && received !== undefined) process.kill(process.pid, received);
  // a forgotten socket would hold the machine's lock, and with it every unit on the machine
  setTimeout(() => {
    process.stderr.write("something still holds the process after the dispatch; it is ended\n");
    process.exit(code);
  }, LINGER_MS).unref();
}
