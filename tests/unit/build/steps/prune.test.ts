import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ownerTags } from "../../../../src/build/names.ts";
import { formatPublished, readPublished, superseded } from "../../../../src/build/steps/prune.ts";
import type { Image } from "../../../../src/openstack/index.ts";
import { OWNER } from "../../../support/builds.ts";

const image = (id: string, more: Partial<Image> = {}): Image => ({
  id,
  name: "builder-noble-x64",
  status: "active",
  sizeBytes: 10,
  virtualSizeBytes: null,
  hashAlgorithm: "sha512",
  hashValue: "abc",
  diskFormat: "qcow2",
  containerFormat: "bare",
  minDiskGb: 0,
  minRamMb: 0,
  visibility: "private",
  owner: "p1",
  isProtected: false,
  tags: [],
  createdAt: new Date(0),
  properties: ownerTags(OWNER, "b", "runner"),
  ...more,
});
const all = (...ids: readonly string[]): Image[] => ids.map((id) => image(id));
const ids = (images: readonly Image[]): string[] => images.map(({ id }) => id);

describe("superseded", () => {
  test("names those beyond the newest that are kept", () => {
    expect(ids(superseded(all("5", "4", "3", "2", "1"), OWNER, new Set(), 2))).toEqual(["3", "2", "1"]);
  });

  test.each([
    [5, []],
    [9, []],
  ])("names none when there are no more than %i", (keep, gone) => {
    expect(ids(superseded(all("5", "4", "3", "2", "1"), OWNER, new Set(), keep))).toEqual(gone);
  });

  test("never names one that stands in a databag, however old", () => {
    expect(ids(superseded(all("5", "4", "3", "2", "1"), OWNER, new Set(["1", "3"]), 2))).toEqual(["2"]);
  });

  test("never names a protected one", () => {
    const images = [...all("3", "2"), image("1", { isProtected: true })];
    expect(superseded(images, OWNER, new Set(), 1).map(({ id }) => id)).toEqual(["2"]);
  });

  test.each([
    ["of another application", { properties: ownerTags({ ...OWNER, application: "x" }, "b", "runner") }],
    ["of another model", { properties: ownerTags({ ...OWNER, modelUuid: "x" }, "b", "runner") }],
    ["that nobody tagged", { properties: {} }],
    ["that is a snapshot", { properties: ownerTags(OWNER, "b", "snapshot") }],
    ["that is not active", { status: "saving" }],
  ])("neither names nor counts one %s", (_what, more) => {
    const foreign = [image("x", more), image("y", more), image("z", more)];
    expect(ids(superseded([...foreign, ...all("2", "1")], OWNER, new Set(), 1))).toEqual(["1"]);
    expect(superseded(foreign, OWNER, new Set(), 0)).toEqual([]);
  });
});

test("counts what another unit of the application built", () => {
  const theirs = { properties: ownerTags({ ...OWNER, unit: "builder/1" }, "b", "runner") };
  const images = [image("4", theirs), image("3"), image("2", theirs), image("1")];
  expect(ids(superseded(images, OWNER, new Set(), 2))).toEqual(["2", "1"]);
});

describe("the record of what is published", () => {
  const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "prune-"));

  test("is read as it was written, equal ids giving equal bytes", async () => {
    await using target = await folder();
    const path = join(target.path, "published.json");
    await writeFile(path, formatPublished(["b", "a"]));
    expect(await readPublished(path)).toEqual(new Set(["a", "b"]));
    expect(formatPublished(["b", "a"])).toBe(formatPublished(["a", "b"]));
  });

  test("is null where the charm recorded nothing, which is not the same as nothing published", async () => {
    await using target = await folder();
    expect(await readPublished(join(target.path, "published.json"))).toBe(null);
  });

  test.each(["", "{}", '{"ids":[1]}'])("stops the pruning when it is broken: %j", async (text) => {
    await using target = await folder();
    await writeFile(join(target.path, "p"), text);
    await expect(readPublished(join(target.path, "p"))).rejects.toThrow(/JSON|Expected/);
  });
});
