import { describe, expect, test } from "vitest";
import type { Build, StepView } from "../../../src/build/history.ts";
import { statusesOf, type StatusFacts } from "../../../src/charm/collect-status.ts";
import { formatImages, tagsOf, type Requirer } from "../../../src/charm/image-relation.ts";
import { BASES } from "../../../src/build/types.ts";
import { LONGEST_MESSAGE, worst } from "../../../src/juju/index.ts";
import { artifactWith, buildWith } from "../../support/builds.ts";
import { configWith, factsWith, requirerWith } from "../../support/facts.ts";

const next = new Date("2026-11-24T02:17:00.000Z");
const now = new Date("2026-11-24T00:00:00.000Z");
const served = requirerWith({ cloud: "runner", published: { id: "n1", tags: "x64,noble" } });
const waitingForImage = requirerWith({ cloud: "other" });

const leads = { standbyFor: null, told: [], artifacts: [] };

/** The status that is shown, as `name: message`. */
function shown(
  requirers: readonly Requirer[],
  builds: readonly Build[] = [buildWith()],
  config = configWith(),
  at: Date | null = next,
  standing: Pick<StatusFacts, "standbyFor" | "told" | "artifacts"> = leads,
): string {
  const facts = { ...factsWith(requirers, config), ...standing };
  const status = worst(statusesOf(facts, builds, "builder", at, now));
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

  test("tells of an adoption, and of one that failed", () => {
    const adoption = { request: { kind: "adopt" } } as const;
    for (const steps of [[], [step({ image: "", step: "adopt the images there are" })]]) {
      expect(shown([served], [buildWith({ ...adoption, state: "running", steps })])).toBe(
        "maintenance: adopting noble-x64",
      );
    }
    const failed = buildWith({ ...adoption, state: "failed", errors: ["cannot adopt all images: a: b"] });
    expect(shown([served], [failed])).toMatch(
      /^blocked: adoption of images failed: cannot adopt all images: a: b; see .*build\.log$/,
    );
  });

  test("is active with what is published, where, and when the next build comes", () => {
    expect(shown([served])).toBe(
      "active: noble-x64 published to 1 of 1 relations, next build 2026-11-24 02:17 UTC",
    );
    expect(shown([served, requirerWith()])).toBe(
      "active: noble-x64 published to 1 of 2 relations, next build 2026-11-24 02:17 UTC",
    );
    expect(shown([served], [buildWith()], configWith(), null)).toBe(
      "active: noble-x64 published to 1 of 1 relations",
    );
  });

  describe("tells of the images that are published", () => {
    const jammy = { base: "jammy", arch: "x64" } as const;
    const both = configWith({ "base-image": "noble,jammy" });
    const bag = (noble: string, other: string): Requirer["published"] => ({
      id: noble,
      tags: "x64,noble",
      images: formatImages([
        { id: noble, tags: "x64,noble" },
        { id: other, tags: "x64,jammy" },
      ]),
    });
    const end = "published to 1 of 1 relations, next build 2026-11-24 02:17 UTC";

    test("date and age", () => {
      const other = requirerWith({ cloud: "other", published: { id: "n2", tags: "x64,noble" } });
      const artifacts = [
        artifactWith({ imageId: "n1", createdAt: "2026-11-23T20:31:59.000Z" }),
        artifactWith({ imageId: "n2", cloud: "other", createdAt: "2026-11-23T20:33:00.000Z" }),
      ];
      expect(shown([served, other], [buildWith({ artifacts })])).toBe(
        "active: noble-x64 of 2026-11-23 20:31 UTC (3 h old), published to 2 of 2 relations, " +
          "next build 2026-11-24 02:17 UTC",
      );
    });

    test.each([
      ["2026-11-23T23:00:00.001Z", "less than 1 h old"],
      ["2026-11-23T23:00:00.000Z", "1 h old"],
      ["2026-11-22T00:00:00.001Z", "47 h old"],
      ["2026-11-22T00:00:00.000Z", "2 days old"],
      ["2026-10-01T12:00:00.000Z", "53 days old"],
      // made by a clock that was ahead of ours
      ["2026-11-24T00:03:00.000Z", "less than 1 h old"],
    ])("one of %s is %s", (createdAt, age) => {
      const build = buildWith({ artifacts: [artifactWith({ imageId: "n1", createdAt })] });
      expect(shown([served], [build])).toContain(`UTC (${age}), `);
    });

    test("date and age of one that another unit built", () => {
      const artifacts = [artifactWith({ imageId: "n1", createdAt: "2026-11-23T20:31:00.000Z" })];
      const standing = { standbyFor: "builder/1", told: [], artifacts };
      expect(shown([served], [], configWith(), next, standing)).toBe(
        "active: noble-x64 of 2026-11-23 20:31 UTC (3 h old), published to 1 of 1 relations, standby for builder/1",
      );
    });

    test("without a date when no journal knows what is published, whatever else was built", () => {
      const others = [artifactWith({ imageId: "n2" }), artifactWith({ imageId: "n1", cloud: "other" })];
      expect(shown([served], [buildWith({ artifacts: others })])).toBe(`active: noble-x64 ${end}`);
      const adopted = requirerWith({ cloud: "other", published: { id: "n0", tags: "x64,noble" } });
      expect(shown([served, adopted], [buildWith({ artifacts: [artifactWith({ imageId: "n1" })] })])).toMatch(
        /^active: noble-x64 published to 2 of 2 relations/,
      );
    });

    test("the one that is published, not a newer one that is not yet", () => {
      const artifacts = [
        artifactWith({ imageId: "n1", createdAt: "2026-11-23T20:31:00.000Z" }),
        artifactWith({ imageId: "n2", createdAt: "2026-11-23T23:31:00.000Z" }),
      ];
      expect(shown([served], [buildWith({ artifacts })])).toContain(
        "noble-x64 of 2026-11-23 20:31 UTC (3 h old)",
      );
    });

    test("several, each with its age if they differ", () => {
      const requirer = requirerWith({ cloud: "runner", published: bag("n1", "j1") });
      const noble = artifactWith({ imageId: "n1", createdAt: "2026-11-23T20:31:00.000Z" });
      const of = (createdAt: string): string =>
        shown(
          [requirer],
          [buildWith({ artifacts: [noble, artifactWith({ spec: jammy, imageId: "j1", createdAt })] })],
          both,
        );
      expect(of("2026-11-23T20:31:30.000Z")).toBe(
        `active: noble-x64, jammy-x64 of 2026-11-23 20:31 UTC (3 h old), ${end}`,
      );
      expect(of("2026-11-21T20:31:00.000Z")).toBe(
        "active: noble-x64 of 2026-11-23 20:31 UTC (3 h old), jammy-x64 of 2026-11-21 20:31 UTC (2 days old), " +
          end,
      );
      expect(shown([requirer], [buildWith({ artifacts: [noble] })], both)).toBe(
        `active: noble-x64 of 2026-11-23 20:31 UTC (3 h old), jammy-x64, ${end}`,
      );
    });

    test("and of those that are not, or not for all", () => {
      const partly = [
        requirerWith({ cloud: "runner", published: bag("n1", "j1") }),
        requirerWith({ cloud: "other", published: { id: "n2", tags: "x64,noble" } }),
      ];
      const expected = (count: number): string =>
        `active: noble-x64 published to ${count} of ${count} relations, jammy-x64 not in all yet, next build 2026-11-24 02:17 UTC`;
      expect(shown(partly, [buildWith()], both)).toBe(expected(2));
      expect(shown([served], [buildWith()], both)).toBe(expected(1));
    });

    test("in a message that is not too long, however many there are", () => {
      const specs = BASES.map((base) => ({ base, arch: "ppc64le" }) as const);
      const images = specs.map((spec) => ({ id: spec.base, tags: tagsOf(spec) }));
      const requirer = requirerWith({
        cloud: "runner",
        published: { id: "focal", tags: "ppc64le,focal", images: formatImages(images) },
      });
      const artifacts = specs.map((spec, index) =>
        artifactWith({ spec, imageId: spec.base, createdAt: `2026-01-0${index + 1}T00:00:00.000Z` }),
      );
      const config = configWith({ "base-image": BASES.join(","), architecture: "ppc64le" });
      const text = shown(
        Array.from({ length: 100 }, () => requirer),
        [buildWith({ artifacts })],
        config,
      );
      expect(text).toContain(
        "resolute-ppc64le of 2026-01-04 00:00 UTC (324 days old), published to 100 of 100",
      );
      expect(text.length).toBeLessThanOrEqual(LONGEST_MESSAGE);
    });
  });

  test("waits while a related cloud has no image of the first base", () => {
    expect(shown([served, waitingForImage])).toBe(
      "waiting: for a build: 1 of 2 relations have an image, next build 2026-11-24 02:17 UTC",
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

  test("shows how many clouds have an image while it is uploaded", () => {
    const upload = step({ progress: { done: 629, total: 1000 } });
    const build = buildWith({
      state: "running",
      steps: [upload],
      targetsByImage: { "noble-x64": ["a", "b", "c"] },
      artifacts: [artifactWith({ cloud: "a" }), artifactWith({ cloud: "b" })],
    });
    expect(shown([served], [build])).toBe("maintenance: building noble-x64: uploading 2/3 clouds 62 %");
    const copying = { ...build, request: { ...build.request, kind: "copy" as const } };
    expect(shown([served], [copying])).toBe("maintenance: copying noble-x64: uploading 2/3 clouds 62 %");
  });

  test("says what to try after a failure, before the log", () => {
    const failed = buildWith({
      state: "failed",
      errors: ["noble-x64: no host"],
      advice: "look at the cloud",
    });
    expect(shown([served], [failed])).toBe(
      "blocked: build failed: noble-x64: no host; look at the cloud; see /builds/20261123t195102-3f9a/build.log",
    );
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
    const problem = "relation with runner: auth_url is not an http or https address";
    expect(shown([served, requirerWith({ problem })])).toBe(`blocked: ${problem}`);
  });
});
