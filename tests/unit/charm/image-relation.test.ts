import { describe, expect, test } from "vitest";
import { redact } from "../../../src/base/redact.ts";
import type { Artifact, ImageSpec } from "../../../src/build/types.ts";
import {
  formatImages,
  publication,
  publishedImages,
  readRequirer,
  tagsOf,
} from "../../../src/charm/image-relation.ts";
import { HookCommandError } from "../../../src/juju/index.ts";
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

  test("names one account the same however its address is spelt and its password rotates", async () => {
    const spelt = { ...credentials, auth_url: "HTTPS://Keystone.example:5000/", password: "rotated" };
    const [one, two] = await Promise.all(
      [credentials, spelt].map((bag) => readRequirer(relationWith({ "runner/0": bag }), noRegion)),
    );
    expect(one?.cloud).toBe(two?.cloud);
  });
});

describe("bad relation data", () => {
  const fix = "correct the OpenStack options of runner";
  const megabyte = "a".repeat(1 << 20);
  const names = ["project_domain_name", "project_name", "user_domain_name", "username", "password"] as const;
  const rows: readonly (readonly [key: keyof typeof credentials, value: string, flaw: string])[] = [
    ...[
      "keystone",
      "ftp://k.example",
      "https://k example",
      "https://k.example/\u0000",
      "http://",
      megabyte,
    ].map((value) => ["auth_url", value, "auth_url is not an http or https address"] as const),
    ["auth_url", "https://k.example/\ufffd", "auth_url is not an http or https address"],
    ["auth_url", "https://u:hunter2@k.example", "auth_url holds a user name or password"],
    ["auth_url", "https://k.example:99999", "auth_url has a port that is not from 1 to 65535"],
    ["auth_url", "https://k.example:0", "auth_url has a port that is not from 1 to 65535"],
    ["auth_url", "https://k.example/?x=1", "auth_url has a ? or #"],
    ...names.flatMap((key) => [
      [key, "a\nb", `${key} has the character U+000A, which cannot be printed`] as const,
      [key, "a\u0000b", `${key} has the character U+0000, which cannot be printed`] as const,
      [key, "a\u001bb", `${key} has the character U+001B, which cannot be printed`] as const,
      [key, "a\u0085b", `${key} has the character U+0085, which cannot be printed`] as const,
      [key, "a\ufffdb", `${key} has the character U+FFFD, which cannot be printed`] as const,
      [
        key,
        megabyte,
        `${key} has 1048576 characters, ${key === "password" ? 4096 : 255} are the most`,
      ] as const,
    ]),
    ["username", "u".repeat(300), "username has 300 characters, 255 are the most"],
  ];

  test.each(
    rows.map(([key, value, flaw]) => [key, JSON.stringify(value).slice(0, 40), value, flaw] as const),
  )(
    "%s = %s is told by one sentence that repeats none of it, and what is published stays",
    async (key, _shown, value, flaw) => {
      const relation = relationWith({ "runner/0": { ...credentials, [key]: value } }, { id: "n0" });
      const requirer = await readRequirer(relation, noRegion);
      expect(requirer).toMatchObject({
        auth: null,
        cloud: null,
        published: { id: "n0" },
        problem: `relation with runner: ${flaw}; ${fix}`,
      });
      expect(requirer.problem?.length).toBeLessThan(200);
      expect(requirer.problem).not.toMatch(/[\p{Cc}\ufffd]|hunter2|aaa/u);
    },
  );

  test("keys that the interface does not know are ignored, however odd they are", async () => {
    const odd = { "": "x", constructor: "x", nul: "\u0000", huge: megabyte, region_name: "\ufffd" };
    const bag = { ...credentials, ...odd, ["__proto__"]: "x" };
    const requirer = await readRequirer(relationWith({ "runner/0": bag }), noRegion);
    expect(requirer).toMatchObject({ problem: null, auth: { username: "runner" } });
  });

  test("of the first unit does not hide what a later one has right", async () => {
    const relation = relationWith({
      "runner/0": { ...credentials, auth_url: "keystone" },
      "runner/1": { ...credentials, username: "one" },
    });
    expect(await readRequirer(relation, noRegion)).toMatchObject({
      problem: null,
      auth: { username: "one" },
    });
  });

  test("of two units names the first one's", async () => {
    const relation = relationWith({
      "runner/1": { ...credentials, username: "a\nb" },
      "runner/0": { ...credentials, auth_url: "keystone" },
    });
    expect((await readRequirer(relation, noRegion)).problem).toContain("auth_url is not");
  });

  test("blank values are waited for like missing ones, and an address may have blanks around it", async () => {
    const blank = { ...credentials, project_name: "  " };
    expect(await readRequirer(relationWith({ "runner/0": blank }), noRegion)).toMatchObject({
      auth: null,
      problem: null,
    });
    const padded = { ...credentials, auth_url: ` ${credentials.auth_url}\n` };
    expect(await readRequirer(relationWith({ "runner/0": padded }), noRegion)).toMatchObject({
      problem: null,
      auth: { authUrl: credentials.auth_url },
    });
  });

  test("of a unit that has just left is none", async () => {
    const gone = new HookCommandError(
      "relation-get",
      1,
      'ERROR cannot read settings for unit "runner/9": settings not found',
    );
    const relation = relationWith({ "runner/0": credentials, "runner/9": credentials });
    const read = relation.unitData;
    const leaving = {
      ...relation,
      unitData: async (unit: string) => {
        if (unit === "runner/9") throw gone;
        return await read(unit);
      },
    };
    expect(await readRequirer(leaving, noRegion)).toMatchObject({ auth: { username: "runner" } });
  });

  test("a password is redacted from then on", async () => {
    const bag = { ...credentials, password: "relation-S3cret", auth_url: "keystone" };
    await readRequirer(relationWith({ "runner/0": bag }), noRegion);
    expect(redact("x relation-S3cret")).toBe("x [redacted]");
  });
});

test("tags are the labels that requirers expect", () => {
  expect(tagsOf({ base: "jammy", arch: "arm64" })).toBe("arm64,jammy");
});
