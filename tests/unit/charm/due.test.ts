import { describe, expect, test } from "vitest";
import type { Build, BuildState } from "../../../src/build/history.ts";
import { NO_PINS, withPin } from "../../../src/build/pins.ts";
import { dueBuild, type Due } from "../../../src/charm/due.ts";
import { historyOf } from "../../../src/charm/past.ts";
import { artifactWith, buildWith } from "../../support/builds.ts";

const now = {
  inputs: "inputs-1",
  access: "access-1",
  secretsDigest: "secrets-1",
  clouds: ["runner"],
  isPublished: false,
};
const initialised = buildWith({ targets: null, request: { kind: "initialise" } });
const state = (of: BuildState, more: Parameters<typeof buildWith>[0] = {}): Build =>
  buildWith({ state: of, ...more });
const build = (reason: Extract<Due, { kind: "build" | "initialise" }>["reason"]): Due => ({
  kind: "build",
  reason,
});
const copyTo = (reason: "relation" | "pin", ...clouds: string[]): Due => ({ kind: "copy", reason, clouds });
const adopted = (of: BuildState, more: Parameters<typeof buildWith>[0] = {}): Build =>
  state(of, { ...more, request: { kind: "adopt", reason: "switch" } });
const copy = (of: BuildState, targets: readonly string[], createdAt = "2026-11-24T00:00:00.000Z"): Build =>
  state(of, { id: `copy-${createdAt}`, targets, request: { kind: "copy", createdAt } });
const withImage = state("done", { artifacts: [artifactWith()] });
const NOBLE = { base: "noble", arch: "x64" } as const;

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
    [
      "a cloud joined and another one has images",
      [withImage],
      { clouds: ["runner", "new"], access: "x" },
      copyTo("relation", "new"),
    ],
    [
      "a cloud joined while the newest build had failed before its uploads",
      [withImage, state("failed", { targets: null })],
      { clouds: ["runner", "new"], access: "x" },
      copyTo("relation", "new"),
    ],
    [
      "a copy to the cloud that joined failed",
      [withImage, copy("failed", ["new"])],
      { clouds: ["runner", "new"] },
      null,
    ],
    [
      "a copy failed and the credentials changed",
      [withImage, copy("failed", ["new"])],
      { clouds: ["runner", "new"], access: "access-2" },
      build("credentials"),
    ],
    [
      "a build since the failed copy has not reached the cloud either",
      [withImage, copy("failed", ["new"]), state("done", { targets: ["runner"] })],
      { clouds: ["runner", "new"] },
      copyTo("relation", "new"),
    ],
    [
      "options changed before a copy",
      [withImage, copy("done", ["new"])],
      { inputs: "inputs-2" },
      build("config"),
    ],
    [
      "a build was interrupted after its snapshot",
      [state("interrupted", { id: "cut", snapshots: [{ image: "noble-x64", id: "snap" }] })],
      {},
      { kind: "copy", reason: "retry", clouds: null, resumes: "cut" },
    ],
    [
      "a build was interrupted between two uploads",
      [state("interrupted", { id: "cut", artifacts: [artifactWith()] })],
      {},
      { kind: "copy", reason: "retry", clouds: null, resumes: "cut" },
    ],
    [
      "what went on with an interrupted build was interrupted, too",
      [state("interrupted", { artifacts: [artifactWith()] }), copy("interrupted", ["runner"])],
      {},
      null,
    ],
    [
      "what went on with an interrupted build is done",
      [state("interrupted"), copy("done", ["runner"])],
      {},
      null,
    ],
    [
      "something is published and no build is known",
      [],
      { isPublished: true },
      { kind: "adopt", reason: "switch" },
    ],
    [
      "something is published and nothing but the initialisation is known",
      [initialised],
      { isPublished: true },
      { kind: "adopt", reason: "switch" },
    ],
    ["what was published is adopted: left to the schedule", [adopted("done")], {}, null],
    ["the options changed since the adoption", [adopted("done")], { inputs: "inputs-2" }, build("config")],
    [
      "a cloud joined after the adoption",
      [adopted("done", { artifacts: [artifactWith()] })],
      { clouds: ["runner", "new"] },
      copyTo("relation", "new"),
    ],
    [
      "the adoption did not find what is published",
      [adopted("done", { targets: [] })],
      { isPublished: true },
      build("relation"),
    ],
    [
      "the adoption was interrupted, though it had found something",
      [adopted("interrupted", { artifacts: [artifactWith()] })],
      { isPublished: true },
      { kind: "adopt", reason: "retry" },
    ],
    [
      "the adoption was interrupted twice",
      [adopted("interrupted"), adopted("interrupted")],
      { isPublished: true },
      null,
    ],
    ["the adoption failed and nothing changed: left to the schedule", [adopted("failed")], {}, null],
    [
      "the adoption failed and the credentials changed",
      [adopted("failed")],
      { access: "access-2" },
      { kind: "adopt", reason: "credentials" },
    ],
    ["a build waits for another one's end", [state("done"), state("waiting")], {}, null],
  ])("when %s", (_when, builds, change, expected) => {
    // a test's order is its list's, whatever the ids
    const named = builds.map((one, at) => ({ ...one, id: `${at} ${one.id}` }));
    const history = historyOf(named, { builds: [], artifacts: [] }, new Map(), NO_PINS, new Date());
    const due = dueBuild(history, { ...now, ...change });
    expect(due !== null && "resumes" in due ? { ...due, resumes: due.resumes.slice(2) } : due).toEqual(
      expected,
    );
  });

  describe("with a pinned image", () => {
    const old = artifactWith({ buildId: "old", imageId: "old" });
    const pins = withPin(
      NO_PINS,
      { spec: NOBLE, buildId: "old", copies: [old] },
      new Date("2026-11-24T01:00:00Z"),
    );
    const wanted = { ...now, clouds: ["runner", "second"] };
    const newest = [artifactWith(), artifactWith({ cloud: "second" })];
    const dueAfter = (...copies: readonly Build[]): Due | null => {
      const builds = [state("done", { artifacts: newest, targets: ["runner", "second"] }), ...copies];
      return dueBuild(historyOf(builds, { builds: [], artifacts: [] }, new Map(), pins, new Date()), wanted);
    };

    test("a cloud that lacks that revision gets a copy of it", () => {
      expect(dueAfter()).toEqual(copyTo("pin", "second"));
    });

    test("it is tried once, and not again by what was copied before it was pinned", () => {
      expect(dueAfter(copy("failed", ["second"], "2026-11-24T02:00:00.000Z"))).toBeNull();
      expect(dueAfter(copy("done", ["second"], "2026-11-24T00:30:00.000Z"))).toEqual(copyTo("pin", "second"));
    });
  });
});
