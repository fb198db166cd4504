import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bundle } from "../../../scripts/bundle/bundle.ts";

interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
}

const read = async (path: string): Promise<string> =>
  await readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
const manifest = JSON.parse(await read("package.json")) as Record<string, Readonly<Record<string, string>>>;
const { packages } = JSON.parse(await read("package-lock.json")) as {
  packages: Readonly<Record<string, Locked>>;
};

describe("dependencies", () => {
  test("that ship are those of the page, in these versions and under these licences", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "dependencies-"));
    const names = new Set((await bundle(folder.path)).flatMap((file) => file.packages));
    const shipped = [...names].map((name) => {
      const { name: real, version, license } = packages[`node_modules/${name}`] ?? {};
      // packages of before SPDX say it in another field; theirs is MIT
      return `| ${real ?? name} | ${version} | ${license ?? "MIT"} |`;
    });
    const page = await read("docs/reference/dependencies.md");
    const [, table = ""] = page.split("## Packages");
    const rows = table.split("\n").filter((line) => line.startsWith("| ") && !/^\| (package|---)/.test(line));
    expect(rows.toSorted()).toEqual(shipped.toSorted());
  }, 60_000);

  test("are pinned to the last digit", () => {
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies"]) {
      for (const version of Object.values(manifest[kind] ?? {}))
        expect(version).toMatch(/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+$/);
    }
  });

  test("come from a registry with a hash, and only known ones run a script when they are installed", () => {
    const all = Object.entries(packages).filter(([path]) => path !== "");
    expect(
      all.filter(([, { integrity }]) => !(integrity ?? "").startsWith("sha512-")).map(([path]) => path),
    ).toEqual([]);
    const scripts = all.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
    // native code for speed that ssh2 does without; the bundler's own binary
    expect(scripts.toSorted()).toEqual(
      ["node_modules/cpu-features", "node_modules/esbuild", "node_modules/ssh2"].toSorted(),
    );
  });
});
