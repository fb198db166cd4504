import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Makes the charm that tests deploy. */
const globalSetup = "tests/support/staged-charm.ts";

/** Tests whose every hook is a process. */
const onFakeJuju = { globalSetup, maxWorkers: 2, testTimeout: 60_000, hookTimeout: 60_000 };

/** Tests that share one real OpenStack: one file at a time, with room for real machines. */
const onRealCloud = { fileParallelism: false, testTimeout: 300_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    restoreMocks: true,
    unstubEnvs: true,
    // most programs that tests start are ours: compiled once they start in half the time
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url)) },
    // a busy machine is slow; a condition that does not come is the failure
    expect: { requireAssertions: true, poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["tests/unit/**/*.test.ts"],
          maxWorkers: 4,
          // a process for each file is a third of the time; its modules are its own all the same
          isolate: false,
          setupFiles: "tests/support/fresh-modules.ts",
          testTimeout: 30_000,
        },
      },
      { extends: true, test: { name: "charm", include: ["tests/charm/*.test.ts"], ...onFakeJuju } },
      { extends: true, test: { name: "long", include: ["tests/long/**/*.test.ts"], ...onFakeJuju } },
      {
        extends: true,
        test: { name: "cloud", include: ["tests/cloud/**/*.test.ts"], globalSetup, ...onRealCloud },
      },
      {
        extends: true,
        test: { name: "faults", include: ["tests/faults/**/*.test.ts"], ...onRealCloud, maxConcurrency: 6 },
      },
      {
        extends: true,
        test: { name: "e2e", include: ["tests/e2e/**/*.test.ts"], ...onRealCloud, testTimeout: 1_200_000 },
      },
    ],
  },
});
