/** A dispatch with all that any event may need: a bundle of its own, so that an idle look loads none of it. */
import { runHookProcess } from "../juju/index.ts";
import { createCharm } from "./charm.ts";
import type { CharmEnvironment } from "./environment.ts";

/** Runs the event of `process` and sets its exit code; see {@link runHookProcess}. */
export async function runFullDispatch(environment: CharmEnvironment, process: NodeJS.Process): Promise<void> {
  await runHookProcess(createCharm(environment), process, {
    // most hooks log nothing and so have no use for pino
    createLogger: async (destination, level) =>
      (await import("../base/log.ts")).createLogger(destination, level),
    logLevel: "info",
  });
}
