import { describe, expect, test } from "vitest";
import { roomForBuilders } from "../../../../src/build/steps/quota.ts";
import type { ComputeLimits, Flavor } from "../../../../src/openstack/index.ts";

const flavor: Flavor = {
  id: "1",
  name: "m1.builder",
  vcpus: 2,
  ramMb: 4096,
  diskGb: 20,
  isPublic: true,
  disabled: false,
};
const PLENTY: ComputeLimits = {
  instances: { limit: 10, used: 1 },
  cores: { limit: 20, used: 2 },
  ramMb: { limit: 51_200, used: 4096 },
  keyPairs: { limit: 100, used: 3 },
};

describe("the room for builders", () => {
  test.each([
    ["instances", { instances: { limit: 10, used: 8 } }, 2],
    ["cores", { cores: { limit: 20, used: 13 } }, 3],
    ["memory", { ramMb: { limit: 12_000, used: 3000 } }, 2],
    ["key pairs", { keyPairs: { limit: 4, used: 3 } }, 1],
  ] as const)("is what the shortest quota leaves: %s", (_what, changes, room) => {
    expect(roomForBuilders({ ...PLENTY, ...changes }, flavor)).toBe(room);
  });

  test("has no end where nothing is limited", () => {
    const limit = { limit: -1, used: 1000 };
    const free = { instances: limit, cores: limit, ramMb: limit, keyPairs: limit };
    expect(roomForBuilders(free, flavor)).toBe(Infinity);
  });

  test("is refused in one sentence that names every quota that is too short", () => {
    const limits = { ...PLENTY, cores: { limit: 20, used: 19 }, instances: { limit: 10, used: 12 } };
    expect(() => roomForBuilders(limits, flavor)).toThrow(
      'the quota of the build project has no room for a builder of flavor "m1.builder": 12 of 10 instances are ' +
        "used and a builder needs 1; 19 of 20 cores are used and a builder needs 2; free some or raise the quota",
    );
  });
});
