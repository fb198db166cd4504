import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { newBuildId, parseOrder, parseRequest, timeAfter } from "../../../src/build/request.ts";
import { requestWith } from "../../support/builds.ts";

function problemsOf(value: unknown): readonly string[] {
  try {
    parseRequest(typeof value === "string" ? value : JSON.stringify(value), "request.json");
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("parseRequest", () => {
  test("gives back what a writer wrote", () => {
    const request = requestWith({
      script: { url: "https://x.example/s.sh", sha256: "" },
      secretsFile: "/run/s.json",
    });
    expect(parseRequest(JSON.stringify(request), "request.json")).toEqual(request);
  });

  test("says that a file is not JSON, without quoting it", () => {
    expect(problemsOf("{ password")).toEqual(["cannot read the build request request.json: it is not JSON"]);
  });

  test("names every problem with its field", () => {
    const { owner: _, ...request } = requestWith();
    const problems = problemsOf({
      ...request,
      id: "../../etc",
      kind: "rebuild",
      images: [],
      keepRevisions: 1,
      baseImageMirror: "nowhere",
      recipe: { ...request.recipe, packages: ["jq", ""], runnerMirror: "" },
      surprise: true,
    });
    const fields = problems.map((problem) => /^build request request\.json: ([\w.]+): /.exec(problem)?.[1]);
    expect(new Set(fields)).toEqual(
      new Set([
        "id",
        "kind",
        "owner",
        "images",
        "baseImageMirror",
        "recipe.packages.1",
        "recipe.runnerMirror",
        "keepRevisions",
        "surprise",
      ]),
    );
  });

  test.each([
    ["an id that is a path", { id: "a/b" }],
    ["an id in capitals", { id: "ABC" }],
    ["an unknown release", { images: [{ base: "trusty", arch: "x64" }] }],
    ["an unknown architecture", { images: [{ base: "noble", arch: "amd64" }] }],
    ["a broken number", { keepRevisions: 2.5 }],
    ["a command that is no list", { wake: "juju-exec" }],
    ["a script without address", { script: {} }],
  ])("refuses %s", (_what, change) => {
    expect(problemsOf({ ...requestWith(), ...change })).not.toEqual([]);
  });
});

describe("parseOrder", () => {
  test("reads a request of a newer revision, with fields that this one does not know", () => {
    const order = parseOrder(JSON.stringify({ ...requestWith(), recipe: "another form", colour: "red" }));
    expect(order).toMatchObject({ id: "20261123t195102-3f9a", kind: "build", reason: "schedule" });
  });

  test.each(["", "{", "[]", "null", '{"id":"x"}'])("is null for %j", (text) => {
    expect(parseOrder(text)).toBe(null);
  });
});

describe("newBuildId", () => {
  test("is what a request accepts, and sorts by time", () => {
    const one = newBuildId(new Date("2026-11-23T19:51:02.345Z"));
    const two = newBuildId(new Date("2026-11-23T19:51:03.000Z"));
    expect(one).toMatch(/^20261123t195102\d{3}-[0-9a-f]{4}$/);
    expect(one < two).toBe(true);
    expect(problemsOf(requestWith({ id: one }))).toEqual([]);
  });
});

describe("timeAfter", () => {
  const now = new Date("2026-11-23T19:51:02.345Z");

  test("is now while the clock goes forward", () => {
    expect(timeAfter(now, [])).toEqual(now);
    expect(timeAfter(now, ["20261123t195102344-3f9a", "20261123t195101-3f9a", "none"])).toEqual(now);
  });

  test.each(["20261123t205102345-ffff", "20261123t195102345-ffff", "20301231t235959-ffff"])(
    "makes an id that sorts behind %s when the clock has stepped back",
    (newest) => {
      const id = newBuildId(timeAfter(now, ["20261123t195101-3f9a", newest, "20261122t000000000-0000"]));
      expect(id > newest).toBe(true);
      expect(newBuildId(timeAfter(now, [newest, id])) > id).toBe(true);
    },
  );
});
