import { describe, expect, test } from "vitest";
import { adoptionOrder, isAnyPublished, owedPublication } from "../../../src/charm/adoption.ts";
import type { Facts } from "../../../src/charm/facts.ts";
import { specOfTags } from "../../../src/charm/image-relation.ts";
import { artifactWith, buildWith } from "../../support/builds.ts";
import { pythonBag } from "../../support/python-bag.ts";

const NOBLE = { base: "noble", arch: "x64" } as const;
const JAMMY = { base: "jammy", arch: "x64" } as const;
const DUE = { kind: "adopt", reason: "switch" } as const;
const noble = { id: "old-noble", tags: "x64,noble" };
const jammy = { id: "old-jammy", tags: "x64,jammy" };

/** The part of the facts that an order is made from. */
function factsWith(specs: Facts["specs"], ...bags: (readonly (typeof noble)[])[]): Facts {
  const requirers = bags.map((images, index) => ({
    cloud: `cloud-${index}`,
    published: images.length === 0 ? {} : pythonBag(images),
  }));
  return { specs, requirers } as unknown as Facts;
}

describe("the order of an adoption", () => {
  test("names what each databag says, as made from the present options", () => {
    const facts = factsWith([NOBLE, JAMMY], [noble, jammy], [], [noble, jammy]);
    expect(adoptionOrder(DUE, facts)).toEqual({
      ...DUE,
      sources: ["cloud-0", "cloud-2"].flatMap((cloud) => [
        { spec: NOBLE, cloud, imageId: "old-noble", buildId: "old-noble" },
        { spec: JAMMY, cloud, imageId: "old-jammy", buildId: "old-jammy" },
      ]),
    });
    expect(isAnyPublished(facts.requirers)).toBe(true);
    expect(isAnyPublished(factsWith([NOBLE], []).requirers)).toBe(false);
  });

  test.each([
    ["fewer images than the options ask for", [NOBLE, JAMMY], [noble]],
    ["another image", [NOBLE], [jammy]],
    ["another order", [JAMMY, NOBLE], [noble, jammy]],
    ["an image that nobody asks for any more", [NOBLE], [noble, jammy]],
  ])("is not of the present options with %s", (_what, specs, images) => {
    expect(adoptionOrder(DUE, factsWith(specs, images)).inputs).toBe("");
  });

  test("has no source of an image that this product does not build", () => {
    const order = adoptionOrder(DUE, factsWith([NOBLE], [{ id: "old", tags: "x64,bionic" }]));
    expect(order.sources).toEqual([]);
  });
});

test.each([
  ["x64,noble", NOBLE],
  ["x64,noble,extra", null],
  ["noble,x64", null],
  ["x64", null],
  ["", null],
])("the image of the tags %s", (tags, spec) => {
  expect(specOfTags(tags)).toEqual(spec);
});

describe("a databag that another revision wrote", () => {
  const bag = pythonBag([noble, noble]);
  const adopted = artifactWith({ imageId: "old-noble", cloud: "runner" });
  const ours = artifactWith({ imageId: "new", cloud: "runner" });
  const adoption = buildWith({ request: { kind: "adopt" }, artifacts: [adopted] });
  const owed = (
    artifact: typeof ours,
    by: Partial<Parameters<typeof owedPublication>[3]>,
    published = bag,
  ): unknown =>
    owedPublication(
      { specs: [NOBLE], artifacts: new Map([["runner/noble-x64", artifact]]) },
      "runner",
      published,
      { builds: [], told: [], pinnedAt: "", ...by },
    );

  test("stays to the letter while nothing but an adoption is known", () => {
    expect(owed(adopted, {})).toBeNull();
    expect(owed(adopted, { builds: [adoption] })).toBeNull();
  });

  test.each([
    ["a build has made one for that cloud", { builds: [adoption, buildWith({ artifacts: [ours] })] }],
    ["another unit tells of one", { told: [ours] }],
    ["an operator has pinned one", { builds: [adoption], pinnedAt: "2026-11-25T00:00:00.000Z" }],
  ])("changes when %s", (_when, by) => {
    expect(owed(ours, by)).toEqual(pythonBag([{ ...noble, id: "new" }]));
  });

  test("stays when a build has made one for another cloud alone", () => {
    const elsewhere = buildWith({ artifacts: [artifactWith({ cloud: "other" })] });
    expect(owed(adopted, { builds: [adoption, elsewhere] })).toBeNull();
  });

  test("that has no image yet gets one that is known, adopted or not", () => {
    expect(owed(adopted, { builds: [adoption] }, {})).toEqual(pythonBag([noble]));
  });
});
