import { expect, test } from "vitest";
import { compareContents } from "../../../../src/build/manifest/compare.ts";
import type { Component, Kind } from "../../../../src/build/manifest/manifest.ts";
import { recipeDigest } from "../../../../src/build/manifest/recipe-digest.ts";

const one = (kind: Kind, name: string, version: string, variant = ""): Component => ({
  kind,
  name,
  version,
  variant,
});
const DPKG = one("deb", "dpkg", "1.22", "amd64");

test("nothing changed between equal images, whatever their order", () => {
  const contents = [DPKG, one("npm", "yarn", "1"), one("snap", "juju", "3 (1)", "latest/stable")];
  expect(compareContents(contents, contents.toReversed())).toEqual([]);
});

test("what is new, gone and of another version is told by kind, then name", () => {
  const before = [one("pip", "z", "1"), one("deb", "b", "1", "all"), one("deb", "c", "1", "amd64"), DPKG];
  const after = [one("deb", "c", "2", "amd64"), one("deb", "a", "1", "all"), one("pip", "z", "1"), DPKG];
  expect(compareContents(before, after)).toEqual([
    { kind: "deb", name: "a", before: null, after: "1" },
    { kind: "deb", name: "b", before: "1", after: null },
    { kind: "deb", name: "c", before: "1", after: "2" },
  ]);
});

test("a package of a second architecture is apart, and one that became independent of it is not new", () => {
  const before = [DPKG, one("deb", "libc6", "1", "amd64"), one("deb", "x", "1", "amd64")];
  const after = [...before, one("deb", "libc6", "1", "armhf")].map((component) =>
    component.name === "x" ? { ...component, variant: "all" } : component,
  );
  expect(compareContents(before, after)).toEqual([
    { kind: "deb", name: "libc6:armhf", before: null, after: "1" },
  ]);
});

test("a snap that follows another channel has changed", () => {
  const snap = one("snap", "juju", "3 (1)", "latest/stable");
  expect(compareContents([snap], [{ ...snap, variant: "3/stable" }])).toEqual([
    { kind: "snap", name: "juju", before: "3 (1) latest/stable", after: "3 (1) 3/stable" },
  ]);
});

test("the recipe's digest changes with each of its parts, and with nothing else", () => {
  const parts = { userData: "a", baseImageSha256: "b", script: null };
  const all = [
    parts,
    { ...parts, userData: "x" },
    { ...parts, baseImageSha256: "x" },
    { ...parts, script: "" },
    { ...parts, script: "x" },
  ].map(recipeDigest);
  expect(new Set(all).size).toBe(5);
  expect(recipeDigest({ ...parts })).toBe(all[0]);
  expect(all[0]).toMatch(/^[0-9a-f]{64}$/);
});
