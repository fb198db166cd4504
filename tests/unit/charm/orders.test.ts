import { describe, expect, test } from "vitest";
import { covers, nextOrder, orderOf, widened, type Wish } from "../../../src/charm/orders.ts";
import type { History } from "../../../src/charm/due.ts";
import { artifactWith, buildWith, requestWith } from "../../support/builds.ts";

const NOBLE = { base: "noble", arch: "x64" } as const;
const JAMMY = { base: "jammy", arch: "x64" } as const;
const SPECS = [NOBLE, JAMMY];
const all: Wish = { reason: "action", images: null, targets: null };
const order = (changes: Parameters<typeof requestWith>[0] = {}): Parameters<typeof covers>[0] =>
  buildWith({ request: { images: SPECS, ...changes } }).request;
const targets = (...clouds: string[]): Parameters<typeof covers>[0] => ({ ...order(), targets: clouds });
const past = (builds: History["builds"] = []): History => ({
  builds,
  artifacts: new Map([["runner/noble-x64", artifactWith()]]),
  pinnedAt: "",
  pinned: [],
});

describe("a build under way serves a wish", () => {
  test.each([
    ["for all, by building all", order(), all, true],
    ["for one image, by building all", order(), { ...all, images: [JAMMY] }, true],
    ["for one cloud, by building for all", order(), { ...all, targets: ["runner"] }, true],
    ["not for an image that it does not build", order({ images: [NOBLE] }), all, false],
    ["not for all clouds when it builds for some", targets("runner"), all, false],
    ["not for a cloud that it does not serve", targets("runner"), { ...all, targets: ["second"] }, false],
    ["for the clouds that it builds for", targets("runner"), { ...all, targets: ["runner"] }, true],
    ["never by copying", order({ kind: "copy" }), all, false],
  ] as const)("%s", (_what, request, wish, expected) => {
    expect(covers(request, wish, SPECS)).toBe(expected);
  });
});

describe("a second wish", () => {
  const waiting = buildWith({
    id: "waits",
    state: "waiting",
    request: { images: [NOBLE] },
  });

  test("widens the build that waits", () => {
    const before = { ...waiting, request: { ...waiting.request, targets: ["runner"] } };
    const wish = { reason: "action", images: [JAMMY, NOBLE], targets: ["second"] };
    expect(widened(before, wish)).toEqual({
      reason: "action",
      images: [NOBLE, JAMMY],
      targets: ["runner", "second"],
    });
  });

  test("for all makes it one for all", () => {
    expect(widened(waiting, all)).toEqual(all);
  });
});

describe("the next order", () => {
  const waiting = buildWith({
    id: "waits",
    state: "waiting",
    request: { images: [NOBLE], reason: "action" },
  });

  test("is what waits, under the id that was promised", () => {
    expect(nextOrder(SPECS, [waiting], past(), null)).toEqual({
      id: "waits",
      kind: "build",
      reason: "action",
      images: [NOBLE],
      targets: null,
    });
  });

  test("is what is due, under the id of what waits: it covers that", () => {
    const due = { kind: "build", reason: "config" } as const;
    expect(nextOrder(SPECS, [waiting], past(), due)).toEqual({ ...due, id: "waits" });
  });

  test("is nothing while a build runs", () => {
    const running = { ...buildWith({ state: "running" }), isResumable: false };
    expect(nextOrder(SPECS, [waiting], past([running]), null)).toBeNull();
  });

  test("of a copy names what there is, the newest first, and only images that somebody has", () => {
    const due = { kind: "copy", reason: "relation", clouds: ["new"] } as const;
    const history = {
      ...past(),
      artifacts: new Map([
        ["a/noble-x64", artifactWith({ cloud: "a", buildId: "b1", imageId: "old" })],
        ["b/noble-x64", artifactWith({ cloud: "b", buildId: "b2", imageId: "new" })],
      ]),
    };
    expect(nextOrder(SPECS, [waiting], history, due)).toEqual({
      kind: "copy",
      reason: "relation",
      images: [NOBLE],
      targets: ["new"],
      sources: [
        { spec: NOBLE, cloud: "b", imageId: "new", buildId: "b2" },
        { spec: NOBLE, cloud: "a", imageId: "old", buildId: "b1" },
      ],
    });
  });

  test("after an interruption goes on with its copies, its snapshots, and all of its images", () => {
    const cut = buildWith({
      id: "cut",
      state: "interrupted",
      request: { images: SPECS },
      artifacts: [artifactWith({ imageId: "copy", buildId: "cut" })],
      snapshots: [{ image: "noble-x64", id: "snap" }],
    });
    const due = { kind: "copy", reason: "retry", clouds: null, resumes: "cut" } as const;
    expect(nextOrder(SPECS, [cut], past(), due)).toEqual({
      kind: "copy",
      reason: "retry",
      images: SPECS,
      targets: null,
      sources: [
        { spec: NOBLE, cloud: "runner", imageId: "copy", buildId: "cut" },
        { spec: NOBLE, cloud: "builder", imageId: "snap", buildId: "cut" },
      ],
    });
  });
});

test("a wish for all leaves images to the options", () => {
  expect(orderOf(all)).toEqual({ reason: "action", targets: null });
});
