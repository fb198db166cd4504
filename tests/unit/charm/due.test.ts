import { describe, expect, test } from "vitest";
import { newestArtifacts, type Build, type BuildState } from "../../../src/build/history.ts";
import { dueBuild, type Due } from "../../../src/charm/due.ts";
import { artifactWith, buildWith } from "../../support/builds.ts";

const now = { inputs: "inputs-1", access: "access-1", secretsDigest: "secrets-1", clouds: ["runner"] };
const initialised = buildWith({ targets: null, request: { kind: "initialise" } });
const state = (of: BuildState, more: Parameters<typeof buildWith>[0] = {}): Build =>
  buildWith({ state: of, ...more });
const build = (reason: Due["reason"]): Due => ({ kind: "build", reason });

describe("dueBuild", () => {
  test.each<[string, readonly Build[], Partial<typeof now>, Due | null]>([
    [
      "nothing was ever built and nobody is related",
      [],
      { clouds: [] },
      { kind: "initialise", reason: "config" },
    ],
    ["nothing was ever built and somebody is related", [], {}, build("relation")],
    ["the first relation comes after the initialisation", [initialised], {}, build("relation")],
    ["the initialisation is done and nobody is related", [initialised], { clouds: [] }, null],
    [
      "options changed since the initialisation",
      [initialised],
      { clouds: [], inputs: "inputs-2" },
      { kind: "initialise", reason: "config" },
    ],
    ["the last build is good", [state("done")], {}, null],
    ["the options changed", [state("done")], { inputs: "inputs-2" }, build("config")],
    ["the options changed after a failure", [state("failed")], { inputs: "inputs-2" }, build("config")],
    ["a build runs, whatever changed", [state("running")], { inputs: "x", access: "x" }, null],
    ["a build waits to run, whatever changed", [state("queued")], { inputs: "x" }, null],
    ["the initialisation still runs", [{ ...initialised, state: "running" }], {}, null],
    ["a build failed and nothing changed: left to the schedule", [state("failed")], {}, null],
    [
      "a build failed and the credentials changed",
      [state("failed")],
      { access: "access-2" },
      build("credentials"),
    ],
    ["only the credentials of a good build changed", [state("done")], { access: "access-2" }, null],
    ["a build was cancelled", [state("cancelled")], { access: "access-2" }, null],
    ["a build was interrupted", [state("done"), state("interrupted")], {}, build("retry")],
    ["two in a row were interrupted", [state("interrupted"), state("interrupted")], {}, null],
    [
      "two in a row were interrupted but the options changed",
      [state("interrupted"), state("interrupted")],
      { inputs: "inputs-2" },
      build("config"),
    ],
    ["an earlier one was interrupted", [state("interrupted"), state("done")], {}, null],
    ["a new cloud joined", [state("done")], { clouds: ["runner", "new"], access: "x" }, build("relation")],
    [
      "a cloud joined that an older build has served: it gets that copy",
      [buildWith({ artifacts: [artifactWith({ cloud: "old" })] }), state("done")],
      { clouds: ["runner", "old"] },
      null,
    ],
    [
      "a cloud joined before the running upload began and is among its targets",
      [state("failed", { targets: ["runner", "new"] })],
      { clouds: ["runner", "new"] },
      null,
    ],
    ["a cloud left", [state("done", { targets: ["runner", "other"] })], { clouds: ["runner"] }, null],
    ["all clouds left", [state("done")], { clouds: [] }, null],
  ])("when %s", (_when, builds, change, expected) => {
    expect(dueBuild({ builds, artifacts: newestArtifacts(builds) }, { ...now, ...change })).toEqual(expected);
  });
});
