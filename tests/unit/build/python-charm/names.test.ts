import { expect, test } from "vitest";
import { ownerTags } from "../../../../src/build/names.ts";
import {
  isUntagged,
  pythonBaseImageNames,
  pythonBuilderNames,
  pythonKeyPairName,
  specOfRunnerImage,
} from "../../../../src/build/python-charm/names.ts";
import { OWNER } from "../../../support/builds.ts";

test("names are those of the Python charm for every release and architecture", () => {
  expect(pythonKeyPairName(OWNER)).toBe("builder-image-builder-ssh-key");
  expect(pythonBuilderNames(OWNER)).toHaveLength(20);
  expect(pythonBuilderNames(OWNER)).toContain("builder-image-builder-noble-x64");
  expect(pythonBaseImageNames(OWNER)).toHaveLength(20);
  expect(pythonBaseImageNames(OWNER)).toContain("builder-image-builder-base-resolute-ppc64le");
});

test.each([
  ["builder-noble-x64", { base: "noble", arch: "x64" }],
  ["builder-jammy-ppc64le", { base: "jammy", arch: "ppc64le" }],
  ["builder-image-builder-base-noble-x64", null],
  ["builder-noble-amd64", null],
  ["other-noble-x64", null],
  ["builder-noble-x64-2", null],
])("an image called %s", (name, expected) => {
  expect(specOfRunnerImage(name, OWNER)).toEqual(expected);
});

test("what carries any of our tags is not the Python charm's", () => {
  expect(isUntagged({ architecture: "x86_64" })).toBe(true);
  expect(isUntagged(ownerTags(OWNER, "b", "runner"))).toBe(false);
  expect(isUntagged(ownerTags({ ...OWNER, modelUuid: "x" }, "b", "runner"))).toBe(false);
});
