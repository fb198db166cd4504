import { describe, expect, test } from "vitest";
import { ownerTags, TAG, type Role } from "../../../../src/build/names.ts";
import { copiesIn, prunable, TRANSITIONS, type Evidence } from "../../../../src/build/publication/states.ts";
import type { Image } from "../../../../src/openstack/index.ts";
import { OWNER } from "../../../support/builds.ts";
import { imageWith } from "../../../support/images.ts";

const copy = (revision: string, more: Partial<Image> = {}, role: Role = "runner"): Image =>
  imageWith({
    id: `image-${revision}`,
    properties: { ...ownerTags(OWNER, "any", role), [TAG.revision]: revision },
    ...more,
  });
const known = (published: readonly string[], pinned: readonly string[] = []): Evidence => ({
  published: new Set(published.map((revision) => `image-${revision}`)),
  pinned: new Set(pinned),
});
const five = ["5", "4", "3", "2", "1"].map((revision) => copy(revision));
const states = (images: readonly Image[], evidence: Evidence): string[] =>
  copiesIn(images, OWNER, evidence).map(({ revision, state }) => `${revision} ${state}`);
const gone = (images: readonly Image[], evidence: Evidence, keep: number): string[] =>
  prunable(copiesIn(images, OWNER, evidence), keep).map(({ revision }) => revision);

describe("the state of a copy", () => {
  test.each<[string, readonly Image[], Evidence, string[]]>([
    ["uploading while its data come", [copy("1", { status: "saving" })], known([]), ["1 uploading"]],
    ["uploading until it is verified", [copy("1", {}, "upload")], known([]), ["1 uploading"]],
    ["verified before it is published", [copy("1")], known([]), ["1 verified"]],
    ["published when it stands in a databag", [copy("1")], known(["1"]), ["1 published"]],
    ["superseded behind a newer published one", five.slice(3), known(["2"]), ["2 published", "1 superseded"]],
    ["verified before a published one", five.slice(3), known(["1"]), ["2 verified", "1 published"]],
    [
      "superseded behind a newer one that is not published while an older one is",
      five.slice(2),
      known(["1"]),
      ["3 verified", "2 superseded", "1 published"],
    ],
    [
      "verified, all of them, where nothing is published",
      five.slice(3),
      known([]),
      ["2 verified", "1 verified"],
    ],
  ])("is %s", (_what, images, evidence, expected) => {
    expect(states(images, evidence)).toEqual(expected);
  });

  test("goes by the content's age, not by the copy's", () => {
    const late = copy("1", { createdAt: new Date(Date.UTC(2026, 11, 1)) });
    expect(states([late, copy("2")], known(["2"]))).toEqual(["2 published", "1 superseded"]);
  });

  test("of an image without a revision goes by the build that made it", () => {
    const older = imageWith({ id: "image-0", properties: ownerTags(OWNER, "0", "runner") });
    expect(states([older, copy("1")], known(["1"]))).toEqual(["1 published", "0 superseded"]);
  });

  test.each([
    ["of another application", ownerTags({ ...OWNER, application: "x" }, "b", "runner")],
    ["of another model", ownerTags({ ...OWNER, modelUuid: "x" }, "b", "runner")],
    ["that nobody tagged", {}],
    ["that is a snapshot", ownerTags(OWNER, "b", "snapshot")],
    ["that is a base image", ownerTags(OWNER, "b", "base")],
  ])("is told of no image %s", (_what, properties) => {
    expect(states([imageWith({ properties })], known([]))).toEqual([]);
  });

  test("is told of what another unit of the application built", () => {
    const properties = ownerTags({ ...OWNER, unit: "builder/1" }, "b", "runner");
    expect(states([imageWith({ properties })], known([]))).toEqual(["b verified"]);
  });
});

describe("what may be pruned", () => {
  test.each<[string, readonly Image[], Evidence, number, string[]]>([
    ["is what is beyond the newest that are kept", five, known(["5"]), 2, ["3", "2", "1"]],
    ["is nothing when there are no more", five, known(["5"]), 5, []],
    ["is never what stands in a databag", five, known(["5", "2"]), 2, ["3", "1"]],
    ["is nothing where nothing is published", five, known([]), 2, []],
    ["is never what is pinned", five, known(["5"], ["1", "2"]), 2, ["3"]],
    ["is never the one before what is published", five, known(["3"], ["3"]), 2, ["1"]],
    ["is never the only one before it, however few are kept", five, known(["5"]), 1, ["3", "2", "1"]],
    ["counts no upload", [copy("6", {}, "upload"), ...five], known(["5"]), 2, ["3", "2", "1"]],
    ["is what a long pin has let grow", five, known(["1"], ["1"]), 2, ["3", "2"]],
  ])("%s", (_what, images, evidence, keep, expected) => {
    expect(gone(images, evidence, keep)).toEqual(expected);
  });

  // a copy whose verification nobody wrote down before a crash is made once more
  test.each<[string, string, number, string[]]>([
    ["keeps the revision before it", "5", 2, ["3", "2", "1"]],
    ["counts them once", "4", 4, ["1"]],
    ["names both when that revision goes", "2", 3, ["2", "2", "1"]],
  ])("of two copies of one revision %s", (_what, revision, keep, expected) => {
    const older = copy(revision, { id: "again", createdAt: new Date(-1) });
    expect(gone([...five, older], known(["5"]), keep)).toEqual(expected);
  });
});

test("a published copy is never pruned, and nothing comes after that", () => {
  expect(TRANSITIONS.published).not.toContain("pruned");
  expect(TRANSITIONS.pruned).toEqual([]);
});
