import { describe, expect, test } from "vitest";
import { apiUrl, type Catalog, chooseRegion, narrowCatalog } from "../../../src/openstack/catalog.ts";

const service = (type: string, name: string, ...regions: string[]): Catalog[number] => ({
  type,
  name,
  endpoints: regions.flatMap((region) =>
    ["admin", "internal", "public"].map((face) => ({
      interface: face,
      region,
      url: `http://${face}.${region}/${type}`,
    })),
  ),
});

const all = (...regions: string[]): Catalog =>
  ["compute", "image", "network", "volumev3"].map((type) => service(type, type, ...regions));

describe("chooseRegion", () => {
  test("takes the only region when none is chosen", () => {
    expect(chooseRegion(all("north"), null, "c")).toBe("north");
  });

  test("takes the chosen one, whatever its case", () => {
    expect(chooseRegion(all("north", "south"), "South", "c")).toBe("south");
  });

  test("lists the regions when there are several and none is chosen", () => {
    expect(() => chooseRegion(all("south", "north"), null, "c")).toThrow(
      "cloud c has several regions, choose one of: north, south",
    );
  });

  test("lists the regions when the chosen one is not there", () => {
    expect(() => chooseRegion(all("south", "north"), "west", "c")).toThrow(
      "cloud c has no region west; its regions are: north, south",
    );
  });

  test("says so when there is no compute service at all", () => {
    expect(() => chooseRegion([service("image", "glance", "north")], null, "c")).toThrow(
      "cloud c has no compute service in its catalogue",
    );
  });
});

describe("narrowCatalog", () => {
  test("keeps the public endpoints of the region, also of services with equal names", () => {
    const catalog = all("north", "south").map((each) => ({ ...each, name: "" }));
    expect(
      narrowCatalog(catalog, "south", "c").map((each) => [each["name"], each.endpoints[0]?.url]),
    ).toEqual([
      ["compute", "http://public.south/compute"],
      ["image", "http://public.south/image"],
      ["network", "http://public.south/network"],
    ]);
  });

  test("names the services that are missing and those that are there", () => {
    const catalog = [service("compute", "nova", "north"), service("image", "glance", "south")];
    expect(() => narrowCatalog(catalog, "north", "c")).toThrow(
      "cloud c has no image service in region north; its catalogue has: compute, image; " +
        "cloud c has no network service in region north; its catalogue has: compute, image",
    );
  });
});

test.each([
  ["image", "http://g:9292", "http://g:9292/v2"],
  ["image", "http://g:9292/v2/", "http://g:9292/v2"],
  ["network", "http://n:9696/", "http://n:9696/v2.0"],
  ["network", "http://n:9696/v2.0", "http://n:9696/v2.0"],
  ["compute", "http://c:8774/v2.1/", "http://c:8774/v2.1"],
] as const)("the API of %s at %s is %s", (type, endpoint, url) => {
  expect(apiUrl(type, endpoint)).toBe(url);
});
