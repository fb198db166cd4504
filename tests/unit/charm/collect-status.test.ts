import { describe, expect, test } from "vitest";
import type { Build, StepView } from "../../../src/build/history.ts";
import { statusesOf, type StatusFacts } from "../../../src/charm/collect-status.ts";
import type { Requirer } from "../../../src/charm/image-relation.ts";
import { LONGEST_MESSAGE, worst } from "../../../src/juju/index.ts";
import { buildWith } from "../../support/builds.ts";
import { configWith, factsWith, requirerWith } from "../../support/facts.ts";

const next = new Date("2026-11-23T20:31:45.000Z");
const served = requirerWith({ cloud: "runner", published: { id: "n1", tags: "x64,noble" } });
const waitingForImage = requirerWith({ cloud: "other" });

const leads = { standbyFor: null, told: [] };

/** The status that is shown, as `name: message`. */
function shown(
  requirers: readonly Requirer[],
  builds: readonly Build[] = [buildWith()],
  config = configWith(),
  at: Date | null = next,
  standing: Pick<StatusFacts, "standbyFor" | "told"> = leads,
): string {
  const status = worst(statusesOf({ ...factsWith(requirers, config), ...standing }, builds, "builder", at));
  return status === undefined ? "" : `${status.name}: ${status.message}`;
}

const step = (changes: Partial<StepView>): StepView => ({
  image: "noble-x64",
  step: "upload the image",
  startedAt: "",
  ms: null,
  error: null,
  progress: null,
  ...changes,
});

describe("the unit's status", () => {
  test("says what to integrate", () => {
    expect(shown([])).toBe("blocked: relation image is missing: run juju integrate builder <runner charm>");
  });

  test("waits for credentials, naming who has to give them", () => {
    expect(shown([requirerWith(), requirerWith({ application: "" })])).toBe(
      "waiting: for OpenStack credentials from runner, the related charm",
    );
  });

  test("is active with what is published, where, and when the next build comes", () => {
    expect(shown([served])).toBe(
      "active: noble-x64 published to 1 of 1 relations, next build 2026-11-23 20:31 UTC",
    );
    expect(shown([served, requirerWith()])).toBe(
      "active: noble-x64 published to 1 of 2 relations, next build 2026-11-23 20:31 UTC",
    );
    const config = configWith({ "base-image": "noble,jammy", architecture: "arm64" });
    const arm = requirerWith({ cloud: "runner", published: { id: "n1", tags: "arm64,noble" } });
    expect(shown([arm], [buildWith()], config, null)).toBe(
      "active: noble-arm64, jammy-arm64 published to 1 of 1 relations",
    );
  });

  test("waits while a related cloud has no image of the first base", () => {
    expect(shown([served, waitingForImage])).toBe(
      "waiting: for a build: 1 of 2 relations have an image, next build 2026-11-23 20:31 UTC",
    );
    const jammyOnly = requirerWith({ cloud: "runner", published: { id: "j", tags: "x64,jammy" } });
    expect(shown([jammyOnly], [buildWith()], configWith(), null)).toBe(
      "waiting: for a build: 0 of 1 relations have an image",
    );
  });

  test("shows a build that runs, step by step, with per cent", () => {
    const running = (steps: readonly StepView[]): string =>
      shown([served], [buildWith({ state: "running", steps })]);
    expect(running([])).toBe("maintenance: building noble-x64");
    expect(running([step({ progress: { done: 629, total: 1000 } })])).toBe(
      "maintenance: building noble-x64: upload the image 62 %",
    );
    expect(running([step({ progress: { done: 5, total: 0 } })])).toBe(
      "maintenance: building noble-x64: upload the image",
    );
    expect(running([step({ image: "", step: "sign in", ms: 4 }), step({ image: "", step: "reap" })])).toBe(
      "maintenance: building reap",
    );
    expect(
      running([step({ step: "run cloud-init" }), step({ image: "jammy-x64", step: "clean the guest" })]),
    ).toBe("maintenance: building noble-x64: run cloud-init; jammy-x64: clean the guest");
  });

  test("shows a build that waits to run, and the preparation of the build cloud", () => {
    expect(shown([served], [buildWith({ state: "queued" })])).toBe("maintenance: building noble-x64");
    const preparing = buildWith({ state: "running", request: { kind: "initialise" } });
    expect(shown([requirerWith()], [preparing])).toBe("maintenance: preparing noble-x64");
  });

  test("says why the last build failed and where its log is", () => {
    const failed = buildWith({
      state: "failed",
      errors: ["noble-x64: cannot sign in", "jammy-x64: no quota"],
    });
    expect(shown([served], [buildWith(), failed])).toBe(
      "blocked: build failed: noble-x64: cannot sign in; jammy-x64: no quota; see " +
        "/builds/20261123t195102-3f9a/build.log",
    );
  });

  test("cuts a long error so that the log's path still fits", () => {
    const statuses = (length: number): string =>
      shown([served], [buildWith({ state: "failed", errors: ["x".repeat(length)] })]);
    const end = "; see /builds/20261123t195102-3f9a/build.log";
    const long = statuses(1000);
    expect(long.endsWith(`x…${end}`)).toBe(true);
    expect(long.length - "blocked: ".length).toBe(LONGEST_MESSAGE);
    // an error that just fits is whole
    const room = LONGEST_MESSAGE - "build failed: ".length - end.length;
    expect(statuses(room)).toBe(`blocked: build failed: ${"x".repeat(room)}${end}`);
  });

  test("says that the last build was interrupted or cancelled, and what to do", () => {
    expect(shown([served], [buildWith({ state: "interrupted" })])).toBe(
      "blocked: build 20261123t195102-3f9a was interrupted; run the action run to build again; see " +
        "/builds/20261123t195102-3f9a/build.log",
    );
    expect(shown([served], [buildWith({ state: "cancelled" })])).toBe(
      "blocked: build 20261123t195102-3f9a was cancelled; run the action run to build again",
    );
  });

  test("forgets an earlier failure once a later build is good or runs", () => {
    const failed = buildWith({ state: "failed", errors: ["x"] });
    expect(shown([served], [failed, buildWith()])).toMatch(/^active: /);
    expect(shown([served], [failed, buildWith({ state: "running" })])).toMatch(/^maintenance: /);
  });

  test("tells a relation whose credentials are unusable", () => {
    const problem = 'relation with runner: the auth URL "x" is not an http or https address';
    expect(shown([served, requirerWith({ problem })])).toBe(`blocked: ${problem}`);
  });
});
