import { describe, expect, test } from "vitest";
import {
  baseImageName,
  builderName,
  isOwnedBy,
  keyPairName,
  keyPairPrefix,
  ownerHash,
  ownerTags,
  runnerImageName,
  securityGroupName,
  TAG,
} from "../../../src/build/names.ts";
import { ARCHITECTURES, BASES, specName } from "../../../src/build/types.ts";
import { OWNER } from "../../support/builds.ts";

const spec = { base: "noble", arch: "x64" } as const;
const build = "20261123t195102-3f9a";

// operators, dashboards and earlier revisions know these texts: a change is a break
describe("the names that are public", () => {
  test("images", () => {
    expect(runnerImageName(OWNER, spec)).toBe("builder-noble-x64");
    expect(baseImageName(OWNER, spec)).toBe("builder-image-builder-base-noble-x64");
    expect(specName(spec)).toBe("noble-x64");
  });

  test("builder server, key pair and security group", () => {
    expect(ownerHash(OWNER)).toBe("4497be93");
    expect(builderName(OWNER, spec, build)).toBe("builder-image-builder-noble-x64-20261123t195102-3f9a");
    expect(keyPairName(OWNER, spec, build)).toBe(
      "builder-image-builder-4497be93-noble-x64-20261123t195102-3f9a",
    );
    expect(securityGroupName(OWNER)).toBe("builder-image-builder-4497be93");
  });

  test("metadata keys", () => {
    expect(TAG).toEqual({
      model: "image_builder_model",
      application: "image_builder_application",
      unit: "image_builder_unit",
      build: "image_builder_build",
      role: "image_builder_role",
      base: "image_builder_base",
      arch: "image_builder_arch",
      sha256: "image_builder_sha256",
      runnerVersion: "image_builder_runner_version",
      created: "image_builder_created",
    });
    expect(ownerTags(OWNER, build, "builder")).toEqual({
      image_builder_model: OWNER.modelUuid,
      image_builder_application: "builder",
      image_builder_unit: "builder/0",
      image_builder_build: build,
      image_builder_role: "builder",
    });
  });

  test("architectures and releases", () => {
    expect(ARCHITECTURES).toEqual(["x64", "arm64", "s390x", "ppc64le", "arm"]);
    expect(BASES).toEqual(["focal", "jammy", "noble", "resolute"]);
  });
});

describe("ownership", () => {
  test("is that of the unit that made the tags", () => {
    expect(isOwnedBy(ownerTags(OWNER, build, "runner"), OWNER)).toBe(true);
  });

  test.each([
    ["another model", { modelUuid: "other" }],
    ["another application", { application: "other" }],
    ["another unit", { unit: "builder/1" }],
  ])("is not that of %s", (_what, change) => {
    expect(isOwnedBy(ownerTags(OWNER, build, "runner"), { ...OWNER, ...change })).toBe(false);
  });

  test("is nobody's without tags", () => {
    expect(isOwnedBy({}, OWNER)).toBe(false);
  });

  test("key pairs of equally named units of two models have different prefixes", () => {
    const other = { ...OWNER, modelUuid: "11111111-3f4b-4c5d-8e6f-7a8b9c0d1e2f" };
    expect(keyPairName(OWNER, spec, build).startsWith(keyPairPrefix(OWNER))).toBe(true);
    expect(keyPairName(other, spec, build).startsWith(keyPairPrefix(OWNER))).toBe(false);
  });

  test("key pairs of unit 10 do not have the prefix of unit 1", () => {
    const one = { ...OWNER, unit: "builder/1" };
    const ten = { ...OWNER, unit: "builder/10" };
    expect(keyPairName(ten, spec, build).startsWith(keyPairPrefix(one))).toBe(false);
  });
});
