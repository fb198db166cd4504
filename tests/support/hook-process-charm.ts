/** A charm in a process of its own, for tests of signals and exit codes: what it does is its event's name. */
import { createLogger } from "../../src/base/log.ts";
import { pause } from "../../src/base/deadline.ts";
import { active, defineCharm, runHookProcess } from "../../src/juju/index.ts";

const charm = defineCharm<object>({
  metadata: { endpoints: [], storages: [] },
  parseConfig: () => ({}),
  hooks: {},
  custom: {
    fine: async () => {},
    fail: async () => {
      throw new Error("no luck");
    },
    leak: async () => {
      setInterval(() => {}, 60_000);
    },
    wait: async ({ signal, unit }) => {
      unit.state.set("a", "1");
      process.stdout.write("waiting\n");
      await pause(60_000, signal);
    },
  },
  actions: {},
  collectStatus: async () => [active()],
});

await runHookProcess(charm, process, { createLogger, logLevel: "info" });
