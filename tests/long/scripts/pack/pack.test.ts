import { createHash } from "node:crypto";
import { mkdtempDisposable, readdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zipEntries } from "../../../../lab/juju/charm-file.ts";
import { bundle } from "../../../../scripts/bundle/bundle.ts";
import { charmFiles, placeFiles } from "../../../../scripts/pack/files.ts";
import { readLock } from "../../../../scripts/pack/lock.ts";
import { packCharm } from "../../../../scripts/pack/pack.ts";
import { BASES, packageName } from "../../../../scripts/pack/platforms.ts";
import { fetchTarball } from "../../../../scripts/pack/tarball.ts";
import { elf } from "../../../support/elf.ts";

const NODE = {
  version: "24.0.0",
  program: elf({ machine: 62, libraries: ["libc.so.6"], versions: ["GLIBC_2.28"], hasSymbols: false }),
  licence: "Node.js ".repeat(50),
};

interface Read {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

async function read(file: string): Promise<readonly Read[]> {
  const found: Read[] = [];
  for await (const { path, mode, read: content } of zipEntries(file))
    found.push({ path, mode, content: (await content()).toString("latin1") });
  return found;
}

/** All tests share packages with a tiny node. */
describe("npm run pack", () => {
  let temporary: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let file: string;

  beforeAll(async () => {
    temporary = await mkdtempDisposable(join(tmpdir(), "pack-"));
    file = await packCharm({
      base: "22.04",
      architecture: "amd64",
      folder: join(temporary.path, "a"),
      node: NODE,
    });
  }, 60_000);
  afterAll(async () => await temporary.remove());

  it("gives the same bytes each time, whatever the time zone", async () => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "Pacific/Auckland";
    try {
      const folder = join(temporary.path, "b");
      const again = await packCharm({ base: "22.04", architecture: "amd64", folder, node: NODE });
      const digests = await Promise.all(
        [file, again].map(async (path) =>
          createHash("sha256")
            .update(await readFile(path))
            .digest("hex"),
        ),
      );
      expect(digests[0]).toBe(digests[1]);
      expect(await readdir(folder)).toEqual(["github-runner-image-builder_ubuntu@22.04-amd64.charm"]);
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  }, 60_000);

  it("differs from base to base in the manifest alone", async () => {
    const other = await packCharm({
      base: "26.04",
      architecture: "amd64",
      folder: join(temporary.path, "c"),
      node: NODE,
    });
    const [first, second] = [await read(file), await read(other)];
    const differing = second.filter(({ content }, index) => content !== first[index]?.content);
    expect(differing.map(({ path }) => path)).toEqual(["manifest.yaml"]);
    expect(differing[0]?.content).toContain("channel: '26.04'");
    expect(second.map(({ path }) => path)).toEqual(first.map(({ path }) => path));
  }, 60_000);

  it("sorts what it packs, and lets four files be executed", async () => {
    const files = await read(file);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(paths.toSorted());
    expect(files.filter(({ mode }) => mode === 0o755).map(({ path }) => path)).toEqual([
      "bin/image-builder",
      "dispatch",
      "dist/charm/main.mjs",
      "node/bin/node",
    ]);
    expect(files.filter(({ mode }) => mode !== 0o755 && mode !== 0o644)).toEqual([]);
    expect(files.find(({ path }) => path === "version")?.content).toBe("0.1.0\n");
  });

  it("holds all that the bundles are, and the licence of each package in them", async () => {
    const bundled = await bundle(join(temporary.path, "dist"));
    const paths = (await read(file)).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(bundled.map((each) => `dist/${each.file}`)));
    const lock = await readLock();
    const names = [...new Set(bundled.flatMap(({ packages }) => packages))].map(
      (folder) => lock(folder).name,
    );
    expect(paths.filter((path) => path.startsWith("licenses/npm/"))).toEqual(
      names.map((name) => `licenses/npm/${name}.txt`).toSorted(),
    );
    const lgpl = bundled.filter(({ packages }) => packages.includes("openpgp"));
    expect(lgpl.map(({ file: name, packages }) => [name.replace(/-\w+\./, "-*."), packages])).toEqual([
      ["cli/openpgp-*.mjs", ["openpgp"]],
    ]);
  }, 60_000);

  it("puts the files into a folder for charmcraft, without what charmcraft makes", async () => {
    const folder = join(temporary.path, "staged");
    await placeFiles(folder, await charmFiles(NODE, "1.2.3"));
    expect((await readdir(folder)).toSorted()).toEqual([
      "LICENSE",
      "README.md",
      "bin",
      "dispatch",
      "dist",
      "icon.svg",
      "licenses",
      "node",
      "version",
    ]);
    expect((await stat(join(folder, "dispatch"))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(folder, "version"), "utf8")).toBe("1.2.3\n");
  }, 60_000);

  it("refuses a tarball that has not the locked hash", async () => {
    const locked = (await readLock())("inherits");
    await expect(fetchTarball(locked, temporary.path)).resolves.toMatch(/inherits-2\.0\.4\.tgz$/);
    const other = { ...locked, integrity: (await readLock())("extend").integrity };
    await expect(fetchTarball(other, temporary.path)).rejects.toThrow(
      "cannot use inherits@2.0.4: its tarball has not the hash in package-lock.json",
    );
  }, 60_000);

  it("names the files as charmcraft does", () => {
    expect(BASES.map((base) => packageName("c", { base, architecture: "arm64" }))).toEqual([
      "c_ubuntu@22.04-arm64.charm",
      "c_ubuntu@24.04-arm64.charm",
      "c_ubuntu@26.04-arm64.charm",
    ]);
  });
});
