import { describe, expect, test } from "vitest";
import { chooseFlavor, chooseNetwork } from "../../../../src/build/steps/choose-server.ts";
import type { Flavor, Network } from "../../../../src/openstack/index.ts";

const flavor = (
  name: string,
  vcpus: number,
  ramMb: number,
  diskGb: number,
  more: Partial<Flavor> = {},
): Flavor => ({
  id: `id-${name}`,
  name,
  vcpus,
  ramMb,
  diskGb,
  isPublic: true,
  disabled: false,
  ...more,
});
const network = (name: string, more: Partial<Network> = {}): Network => ({
  id: `id-${name}`,
  name,
  status: "ACTIVE",
  adminStateUp: true,
  isExternal: false,
  isShared: false,
  subnetIds: ["s"],
  ...more,
});

describe("chooseFlavor", () => {
  const flavors = [
    flavor("large", 4, 8192, 40),
    flavor("tiny", 1, 512, 1),
    flavor("medium-b", 2, 2048, 20),
    flavor("medium-a", 2, 2048, 20),
    flavor("retired", 2, 1024, 10, { disabled: true }),
  ];

  test("takes the smallest that fits, by name where two are equal", () => {
    expect(chooseFlavor(flavors, "").name).toBe("medium-a");
  });

  test("takes one that fits exactly", () => {
    expect(chooseFlavor([...flavors, flavor("least", 2, 1024, 10)], "").name).toBe("least");
  });

  test.each(["large", "id-large"])("takes the one that is asked for, by name or id: %s", (wanted) => {
    expect(chooseFlavor(flavors, wanted).name).toBe("large");
  });

  test("takes the one whose name is the asked one in lower case, but an exact one before it", () => {
    expect(chooseFlavor(flavors, "Large").name).toBe("large");
    expect(chooseFlavor([...flavors, flavor("Large", 8, 8192, 40)], "Large").vcpus).toBe(8);
    expect(() => chooseFlavor([flavor("Large", 8, 8192, 40)], "large")).toThrow("has no flavor");
  });

  test("says what there is when the asked one is not there", () => {
    expect(() => chooseFlavor(flavors, "Huge")).toThrow(
      'build-flavor: the build project has no flavor "Huge"; it has large, medium-a, medium-b, retired, tiny',
    );
  });

  test("says what a build needs when the asked one is too small", () => {
    expect(() => chooseFlavor(flavors, "tiny")).toThrow(
      'build-flavor: "tiny" is too small; a build needs 2 vCPUs, 1024 MB of memory and 10 GB of disk',
    );
  });

  test.each([
    [[flavor("tiny", 1, 512, 1)], "tiny"],
    [[], "none"],
  ])("says so when none fits", (given, has) => {
    expect(() => chooseFlavor(given, "")).toThrow(
      `no flavor of the build project has at least 2 vCPUs, 1024 MB of memory and 10 GB of disk; it has ${has}`,
    );
  });
});

describe("chooseNetwork", () => {
  test("takes the one whose name is the asked one in lower case, but an exact one before it", () => {
    expect(chooseNetwork([network("net"), network("other")], "Net").name).toBe("net");
    expect(chooseNetwork([network("net"), network("Net")], "Net").name).toBe("Net");
  });

  test("takes the only usable one", () => {
    const unusable = [
      network("external", { isExternal: true }),
      network("down", { adminStateUp: false }),
      network("building", { status: "BUILD" }),
      network("bare", { subnetIds: [] }),
    ];
    expect(chooseNetwork([...unusable, network("good")], "").name).toBe("good");
  });

  test.each(["external", "id-external"])(
    "takes the one that is asked for, whatever it is like: %s",
    (wanted) => {
      const all = [network("good"), network("external", { isExternal: true })];
      expect(chooseNetwork(all, wanted).name).toBe("external");
    },
  );

  test("says what to do when several are usable", () => {
    expect(() => chooseNetwork([network("b"), network("a")], "")).toThrow(
      "the build project has 2 usable networks; name one in build-network: a, b",
    );
  });

  test("says what to do when none is usable", () => {
    expect(() => chooseNetwork([network("x", { isExternal: true })], "")).toThrow(
      "the build project has no usable network; create one, or name one in build-network",
    );
  });

  test("says what there is when the asked one is not there", () => {
    expect(() => chooseNetwork([network("b"), network("a")], "c")).toThrow(
      'build-network: the build project has no network "c"; it has a, b',
    );
  });

  test("asks for an id when the name is not unique", () => {
    const twins = [network("net", { id: "2" }), network("net", { id: "1" })];
    expect(() => chooseNetwork(twins, "net")).toThrow(
      'build-network: 2 networks are called "net"; name one by id: 1, 2',
    );
    expect(chooseNetwork(twins, "2").id).toBe("2");
  });
});
