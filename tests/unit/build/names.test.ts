import { describe, expect, test } from "vitest";
import {
  baseImageName,
  builderName,
  isInherited,
  isOfApplication,
  keyPairName,
  ownerHash,
  ownerTags,
  runnerImageName,
  securityGroupName,
  unitInName,
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
    expect(ownerHash(OWNER)).toBe("52d60e4d");
    expect(builderName(OWNER, spec, build)).toBe("builder-image-builder-noble-x64-20261123t195102-3f9a");
    expect(keyPairName(OWNER, spec, build)).toBe(
      "builder-image-builder-52d60e4d-0-noble-x64-20261123t195102-3f9a",
    );
    expect(securityGroupName(OWNER)).toBe("builder-image-builder-52d60e4d-0");
  });

  test("metadata keys", () => {
    expect(TAG).toEqual({
      model: "image-builder.model",
      application: "image-builder.application",
      unit: "image-builder.unit",
      build: "image-builder.build",
      role: "image-builder.role",
      base: "image-builder.base",
      arch: "image-builder.arch",
      sha256: "image-builder.sha256",
      runnerVersion: "image-builder.runner-version",
      serial: "image-builder.serial",
      created: "image-builder.created",
      recipe: "image-builder.recipe",
      revision: "image-builder.revision",
    });
    expect(ownerTags(OWNER, build, "builder")).toEqual({
      "image-builder.model": OWNER.modelUuid,
      "image-builder.application": "builder",
      "image-builder.unit": "builder/0",
      "image-builder.build": build,
      "image-builder.role": "builder",
    });
  });

  test("architectures and releases", () => {
    expect(ARCHITECTURES).toEqual(["x64", "arm64", "s390x", "ppc64le", "arm"]);
    expect(BASES).toEqual(["focal", "jammy", "noble", "resolute"]);
  });
});

describe("ownership", () => {
  const tags = ownerTags(OWNER, build, "runner");

  test("is that of the application whose unit made the tags", () => {
    expect(isOfApplication(tags, OWNER)).toBe(true);
    expect(isOfApplication(tags, { ...OWNER, unit: "builder/1" })).toBe(true);
  });

  test.each([
    ["another model", { modelUuid: "other" }],
    ["another application", { application: "other" }],
  ])("is not that of %s", (_what, change) => {
    expect(isOfApplication(tags, { ...OWNER, ...change })).toBe(false);
    expect(isInherited(tags, { ...OWNER, ...change }, [])).toBe(false);
  });

  test("is nobody's without tags", () => {
    expect(isOfApplication({}, OWNER)).toBe(false);
    expect(isInherited({}, OWNER, [])).toBe(false);
  });

  test("is inherited from a unit that is gone, never from one that is there", () => {
    const heir = { ...OWNER, unit: "builder/1" };
    expect(isInherited(tags, OWNER, ["builder/1"])).toBe(true);
    expect(isInherited(tags, heir, [])).toBe(true);
    expect(isInherited(tags, heir, [OWNER.unit])).toBe(false);
  });
});

describe("names of what carries no tags", () => {
  test.each(["builder/0", "builder/1", "builder/10"])("tell that %s gave them", (unit) => {
    const owner = { ...OWNER, unit };
    expect(unitInName(keyPairName(owner, spec, build), OWNER)).toBe(unit);
    expect(unitInName(securityGroupName(owner), OWNER)).toBe(unit);
  });

  test.each([
    ["an equally named application of another model", { modelUuid: "11111111-3f4b-4c5d-8e6f-7a8b9c0d1e2f" }],
    ["another application", { application: "builder-2", unit: "builder-2/0" }],
  ])("are not taken for those of %s", (_what, change) => {
    const other = { ...OWNER, ...change };
    expect(unitInName(keyPairName(other, spec, build), OWNER)).toBeNull();
    expect(unitInName(securityGroupName(other), OWNER)).toBeNull();
  });

  test.each(["", "lab", "builder-image-builder", "builder-image-builder-52d60e4d-x"])(
    "%j is nobody's",
    (name) => {
      expect(unitInName(name, OWNER)).toBeNull();
    },
  );
});
