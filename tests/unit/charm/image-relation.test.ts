import { describe, expect, test } from "vitest";
import type { Artifact, ImageSpec } from "../../../src/build/types.ts";
import {
  formatImages,
  publication,
  publishedImages,
  readRequirer,
  tagsOf,
} from "../../../src/charm/image-relation.ts";
import { artifactWith } from "../../support/builds.ts";
import { relationWith } from "../../support/facts.ts";

const noble: ImageSpec = { base: "noble", arch: "x64" };
const jammy: ImageSpec = { base: "jammy", arch: "x64" };
const artifacts = (ids: Readonly<Record<string, string>>): ReadonlyMap<string, Artifact> =>
  new Map(Object.entries(ids).map(([key, imageId]) => [key, artifactWith({ imageId })]));
const noRegion = (): null => null;

const credentials = {
  auth_url: "https://keystone.example:5000/v3",
  password: "pass",
  project_domain_name: "Default",
  project_name: "Runner Project",
  user_domain_name: "Default",
  username: "runner",
};

describe("publication", () => {
  test("is id, tags and images with Python's spacing, byte for byte", () => {
    const good = artifacts({ "runner/noble-x64": "n1", "runner/jammy-x64": "j1" });
    expect(publication([noble, jammy], "runner", good, {})).toEqual({
      id: "n1",
      tags: "x64,noble",
      images: '[{"id": "n1", "tags": "x64,noble"}, {"id": "j1", "tags": "x64,jammy"}]',
    });
  });

  test("gives the first base the id, in the operator's order", () => {
    const good = artifacts({ "runner/noble-x64": "n1", "runner/jammy-x64": "j1" });
    expect(publication([jammy, noble], "runner", good, {})).toMatchObject({ id: "j1", tags: "x64,jammy" });
  });

  test("is nothing while the first base has no image, whatever the others have", () => {
    expect(publication([noble, jammy], "runner", artifacts({ "runner/jammy-x64": "j1" }), {})).toBe(null);
    expect(publication([noble], "runner", artifacts({}), {})).toBe(null);
    expect(publication([], "runner", artifacts({ "runner/noble-x64": "n1" }), {})).toBe(null);
  });

  test("takes no image of another cloud", () => {
    expect(publication([noble], "runner", artifacts({ "other/noble-x64": "n1" }), {})).toBe(null);
  });

  test("keeps what is published where the history knows no image", () => {
    const published = {
      id: "n0",
      tags: "x64,noble",
      images: '[{"id": "n0", "tags": "x64,noble"}, {"id": "j0", "tags": "x64,jammy"}]',
    };
    expect(publication([noble, jammy], "runner", artifacts({}), published)).toEqual(published);
    expect(publication([noble, jammy], "runner", artifacts({ "runner/jammy-x64": "j1" }), published)).toEqual(
      {
        ...published,
        images: '[{"id": "n0", "tags": "x64,noble"}, {"id": "j1", "tags": "x64,jammy"}]',
      },
    );
  });

  test("keeps the id that an older charm published without images", () => {
    expect(publication([noble], "runner", artifacts({}), { id: "n0", tags: "x64,noble" })).toEqual({
      id: "n0",
      tags: "x64,noble",
      images: '[{"id": "n0", "tags": "x64,noble"}]',
    });
  });

  test("does not give the id of another base for the first one's", () => {
    const published = { id: "j0", tags: "x64,jammy", images: '[{"id": "j0", "tags": "x64,jammy"}]' };
    expect(publication([noble, jammy], "runner", artifacts({}), published)).toBe(null);
  });
});

describe("publishedImages", () => {
  test.each([
    ["nothing", {}],
    ["an id without tags", { id: "n0" }],
    ["images that are no JSON", { images: "}{" }],
    ["images that are no list", { images: '{"id": 1}' }],
    ["images of a wrong form", { images: '[{"id": 5, "tags": null}, "x", {"tags": "x64,noble"}]' }],
  ])("holds nothing for %s", (_what, bag) => {
    expect(publishedImages(bag)).toEqual(new Map());
  });

  test("reads what was written", () => {
    const images = [
      { id: "a", tags: "x64,noble" },
      { id: "b", tags: "arm64,jammy" },
    ];
    expect(publishedImages({ images: formatImages(images) })).toEqual(
      new Map([
        ["x64,noble", "a"],
        ["arm64,jammy", "b"],
      ]),
    );
    expect(formatImages([])).toBe("[]");
    expect(JSON.parse(formatImages(images))).toEqual(images);
  });
});

describe("readRequirer", () => {
  test("takes the account from the unit that has given all credentials, and ignores other keys", async () => {
    const relation = relationWith(
      {
        "runner/1": { ...credentials, username: "second", extra: "x", "private-address": "10.0.0.2" },
        "runner/0": { "private-address": "10.0.0.1", auth_url: "https://half.example" },
      },
      { id: "n0" },
    );
    const requirer = await readRequirer(relation, () => "west");
    expect(requirer).toMatchObject({ application: "runner", problem: null, published: { id: "n0" } });
    expect(requirer.auth).toEqual({
      authUrl: credentials.auth_url,
      projectName: "Runner Project",
      projectDomainName: "Default",
      username: "second",
      userDomainName: "Default",
      password: "pass",
      region: "west",
      caFile: null,
    });
    expect(requirer.cloud).toMatch(/^runner-project-[0-9a-f]{8}$/);
  });

  test("takes the first unit by name when several are complete", async () => {
    const relation = relationWith({
      "runner/2": { ...credentials, username: "two" },
      "runner/0": { ...credentials, username: "zero" },
    });
    expect((await readRequirer(relation, noRegion)).auth?.username).toBe("zero");
  });

  test.each(Object.keys(credentials))("waits while %s is missing or empty", async (key) => {
    for (const bag of [
      { ...credentials, [key]: "" },
      Object.fromEntries(Object.entries(credentials).filter(([name]) => name !== key)),
    ]) {
      const requirer = await readRequirer(relationWith({ "runner/0": bag }), noRegion);
      expect(requirer).toMatchObject({ auth: null, cloud: null, problem: null });
    }
  });

  test("waits while nobody is there", async () => {
    expect(await readRequirer(relationWith({}), noRegion)).toMatchObject({ auth: null, problem: null });
  });

  test("tells an address that is none, and goes on without that cloud", async () => {
    const bag = { ...credentials, auth_url: "keystone" };
    expect(await readRequirer(relationWith({ "runner/0": bag }), noRegion)).toMatchObject({
      auth: null,
      cloud: null,
      problem: 'relation with runner: the auth URL "keystone" is not an http or https address',
    });
  });

  test("names one account the same however its address is spelt and its password rotates", async () => {
    const spelt = { ...credentials, auth_url: "HTTPS://Keystone.example:5000/", password: "rotated" };
    const [one, two] = await Promise.all(
      [credentials, spelt].map((bag) => readRequirer(relationWith({ "runner/0": bag }), noRegion)),
    );
    expect(one?.cloud).toBe(two?.cloud);
  });
});

test("tags are the labels that requirers expect", () => {
  expect(tagsOf({ base: "jammy", arch: "arm64" })).toBe("arm64,jammy");
});
