import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { SECTIONS, sectionsOf } from "../../../../src/build/cloud-init/sections.ts";
import { ARCHITECTURES, BASES, type ImageSpec, type Recipe } from "../../../../src/build/types.ts";
import { requestWith } from "../../../support/builds.ts";

const recipe: Recipe = {
  ...requestWith().recipe,
  yqMirror: "https://y.example/releases",
  proxy: { http: "http://proxy.example:3128", https: "", noProxy: "" },
};
const NAMES = SECTIONS.map(({ name }) => name);
/** Sections that not every image gets, with who does; the recipe is the default one. */
const RARE: Readonly<Record<string, (spec: ImageSpec) => boolean>> = {
  armhf: ({ arch }) => arch === "arm",
  rustup: ({ arch }) => arch === "arm",
  "github-cli": ({ base, arch }) => base === "focal" && (arch === "x64" || arch === "arm64"),
  dotnet: ({ base }) => base === "resolute",
  "npm-packages": ({ base }) => base !== "focal",
};
const SPECS = BASES.flatMap((base) => ARCHITECTURES.map((arch) => ({ base, arch }))).filter(
  ({ base, arch }) => arch !== "arm" || base === "noble" || base === "resolute",
);
const spec = { base: "noble", arch: "x64" } as const;

describe("sectionsOf", () => {
  test("knows 18 images", () => {
    expect(SPECS).toHaveLength(18);
  });

  test.each(SPECS)("gives $base on $arch its sections in the table's order", (each) => {
    expect(sectionsOf(each, recipe)).toEqual(NAMES.filter((name) => RARE[name]?.(each) ?? true));
  });

  test("leaves out what the recipe does not ask for", () => {
    const changes = { snaps: [], npmPackages: [], yqMirror: "" };
    const left = NAMES.filter((name) => !sectionsOf(spec, { ...recipe, ...changes }).includes(name));
    expect(left).toEqual([
      "armhf",
      "github-cli",
      "dotnet",
      "rustup",
      "snaps",
      "aproxy",
      "npm-packages",
      "yq",
    ]);
  });

  test("adds GitHub CLI's repository for who wants gh from it, and for nobody else", () => {
    const packages = (changes: string[]): Recipe => ({ ...recipe, packages: changes });
    expect(sectionsOf({ base: "focal", arch: "x64" }, packages(["-gh"]))).not.toContain("github-cli");
    expect(sectionsOf({ base: "focal", arch: "x64" }, packages(["-*", "gh"]))).toContain("github-cli");
  });

  test("adds the PPA beside a site's own mirror for who wants .NET from it only", () => {
    const resolute = { base: "resolute", arch: "x64" } as const;
    const mirrored = { ...recipe, aptMirror: "http://mirror.example/ubuntu" };
    expect(sectionsOf(resolute, mirrored)).not.toContain("dotnet");
    expect(sectionsOf(resolute, { ...mirrored, packages: ["dotnet-sdk-8.0"] })).toContain("dotnet");
    expect(sectionsOf({ base: "resolute", arch: "s390x" }, mirrored)).toContain("dotnet");
  });

  test("sends runners through aproxy only where there are both, and no credentials", () => {
    const proxied = (http: string): Recipe => ({ ...recipe, proxy: { ...recipe.proxy, http } });
    expect(sectionsOf(spec, proxied(""))).not.toContain("aproxy");
    expect(sectionsOf(spec, proxied("http://user:word@proxy.example:3128"))).not.toContain("aproxy");
    expect(sectionsOf(spec, { ...recipe, snaps: ["juju", "aproxy-like"] })).not.toContain("aproxy");
    expect(sectionsOf(spec, { ...recipe, snaps: ["aproxy"] })).toContain("aproxy");
  });

  test("installs rustup's toolchain only where rustup is", () => {
    const arm = { base: "noble", arch: "arm" } as const;
    expect(sectionsOf(arm, { ...recipe, packages: ["-rustup"] })).not.toContain("rustup");
  });

  test("are described in the reference, in the order in which they run", async () => {
    const page = await readFile(new URL("../../../../docs/reference/image.md", import.meta.url), "utf8");
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, name]) => name)).toEqual(NAMES);
  });

  test.each(NAMES)("has a script for %s", async (name) => {
    const file = new URL(`../../../../src/build/cloud-init/sections/${name}.sh`, import.meta.url);
    expect(await readFile(file, "utf8")).not.toBe("");
  });
});
