import { execFile } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { charmFiles, declarationFiles } from "../../../../scripts/pack/files.ts";
import { REPOSITORY } from "../../../../scripts/pack/repository.ts";
import { archiveProblems } from "../../../../scripts/verify-charm/archive.ts";
import { verifyCharm } from "../../../../scripts/verify-charm/verify.ts";
import { elf, type Program } from "../../../support/elf.ts";
import { zipOf, type Given } from "../../../support/zip.ts";

const NODE: Program = {
  machine: 62,
  libraries: ["libc.so.6", "libstdc++.so.6", "ld-linux-x86-64.so.2"],
  versions: ["GLIBC_2.28", "GLIBC_2.2.5", "GLIBCXX_3.4.21", "CXXABI_1.3", "GCC_3.0"],
  hasSymbols: false,
};
const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE".repeat(2)}\n`;

type Break = (files: Map<string, Given>) => void;

/** Puts a plain file there. */
const put =
  (path: string, content: string | Buffer, mode = 0o100644): Break =>
  (files) =>
    void files.set(path, { path, content: Buffer.from(content), mode });
const drop =
  (path: string): Break =>
  (files) =>
    void files.delete(path);
/** Changes an existing file's text; one that does not change is a mistake of the test. */
const edit =
  (path: string, from: string | RegExp, to: string): Break =>
  (files) => {
    const file = files.get(path);
    const text = file?.content.toString("utf8") ?? "";
    const changed = text.replace(from, to);
    if (file === undefined || changed === text) throw new Error(`cannot edit ${path}: nothing to change`);
    files.set(path, { ...file, content: Buffer.from(changed) });
  };
const mode =
  (path: string, bits: number): Break =>
  (files) =>
    void files.set(path, { ...(files.get(path) as Given), mode: bits });
const node = (change: Partial<Program>): Break => put("node/bin/node", elf({ ...NODE, ...change }), 0o100755);

/** All tests change one good package. */
describe("verify-charm", { timeout: 30_000 }, () => {
  let temporary: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let good: readonly Given[];

  beforeAll(async () => {
    temporary = await mkdtempDisposable(join(tmpdir(), "verify-"));
    const runtime = { version: "24.0.0", program: elf(NODE), licence: "Node.js ".repeat(50) };
    const files = [
      ...(await charmFiles(runtime, "1.0.0")),
      ...(await declarationFiles({ base: "22.04", architecture: "amd64" })),
    ];
    good = files.map(({ path, content, isExecutable }) => ({
      path,
      content,
      mode: isExecutable ? 0o100755 : 0o100644,
    }));
  }, 60_000);
  afterAll(async () => await temporary.remove());

  const verify = async (...breaks: readonly Break[]): Promise<readonly string[]> => {
    const files = new Map(good.map((file) => [file.path, file]));
    for (const change of breaks) change(files);
    const path = join(temporary.path, "test.charm");
    await writeFile(path, await zipOf([...files.values()]));
    return await verifyCharm(path);
  };

  it("finds nothing in what is packed", async () => {
    expect(await verify()).toEqual([]);
  });

  it.each<readonly [string, Break, string]>([
    ["metadata.yaml missing", drop("metadata.yaml"), "metadata.yaml: is missing"],
    ["YAML that is none", put("config.yaml", "options: [a\n"), "config.yaml: is no YAML: "],
    [
      "a name Juju refuses",
      edit("metadata.yaml", /^name: .*/m, "name: Image_Builder"),
      "metadata.yaml: name: is no charm's name to Juju",
    ],
    [
      "a long summary",
      edit("metadata.yaml", /^summary: /m, `summary: ${"long ".repeat(40)}`),
      "metadata.yaml: summary: must be at most 200 characters long",
    ],
    ["no summary", edit("metadata.yaml", /^summary: .*\n/m, ""), "metadata.yaml: summary: is missing"],
    [
      "an unknown key",
      edit("metadata.yaml", /^summary:/m, "series: [jammy]\nsummary:"),
      "metadata.yaml: series: is no key that Juju knows",
    ],
    [
      "an assumption nobody understands",
      edit("metadata.yaml", "juju >= 3.3", "juju > 3"),
      'metadata.yaml: assumes.0: must be like "juju >= 3.3"',
    ],
    [
      "secrets on a Juju without",
      edit("metadata.yaml", "juju >= 3.3", "juju >= 2.9.44"),
      'metadata.yaml: assumes: needs "juju >= 3.3", because openstack-password-secret is',
    ],
    [
      "an endpoint without an interface",
      edit("metadata.yaml", /interface: github_runner_image_v0\n/, "limit: 1\n"),
      "metadata.yaml: provides.image.interface: is missing",
    ],
    [
      "an endpoint twice",
      edit("metadata.yaml", /^  peers:$/m, "  image:"),
      "metadata.yaml: image: is the name of two endpoints",
    ],
    [
      "an endpoint with Juju's name",
      edit("metadata.yaml", /^  image:$/m, "  juju-info:"),
      "metadata.yaml: provides.juju-info: names with juju belong to Juju",
    ],
    [
      "an option without a type",
      edit("config.yaml", /(parallel-images:\n) +type: int\n/, "$1"),
      "config.yaml: options.parallel-images.type: is missing",
    ],
    [
      "a default of another type",
      edit("config.yaml", /(parallel-images:\n +type: int\n +default: )2/, "$1two"),
      'config.yaml: the default does not fit: option "parallel-images" expected int, got "two"',
    ],
    [
      "a secret with a default",
      edit("config.yaml", /(notify-url:\n +type: secret\n)/, '$1    default: ""\n'),
      "config.yaml: options.notify-url: a secret must have no default",
    ],
    [
      "an option with _",
      edit("config.yaml", "  notify-url:", "  notify_url:"),
      "config.yaml: options.notify_url: the name may hold a-z, 0-9 and - only",
    ],
    [
      "an action that says nothing of other parameters",
      edit("actions.yaml", /(^check:[^]*?) +additionalProperties: false\n/m, "$1"),
      "actions.yaml: check.additionalProperties: is missing",
    ],
    [
      "a parameter's default out of its enum",
      edit("actions.yaml", "default: text", "default: xml"),
      "actions.yaml: list-images: the default does not fit: format : must match",
    ],
    [
      "a reference in a schema",
      edit("actions.yaml", /^ {6}type: boolean$/m, '      type: boolean\n      $ref: "#/x"'),
      "actions.yaml: run.params.wait.$ref: Juju refuses references",
    ],
    [
      "a required parameter that is none",
      edit("actions.yaml", "additionalProperties: false", "additionalProperties: false\n  required: [speed]"),
      "actions.yaml: run: requires the parameter speed, which it does not have",
    ],
    [
      "no bases",
      edit("manifest.yaml", /^bases:[^]*(?=analysis)/m, "bases: []\n"),
      "manifest.yaml: bases: must name a base, without which Juju 4 refuses the charm",
    ],
    [
      "a base that is a number",
      edit("manifest.yaml", "'22.04'", "22.04"),
      "manifest.yaml: bases.0.channel: must be a text, one of 22.04",
    ],
    [
      "two architectures",
      edit("manifest.yaml", "  - amd64", "  - amd64\n  - arm64"),
      "manifest.yaml: bases.0.architectures: must be one: the charm holds programs",
    ],
  ])("finds %s", async (_, change, sentence) => {
    expect(await verify(change)).toContainEqual(expect.stringContaining(sentence));
  });

  it.each<readonly [string, Break, string]>([
    ["no dispatch", drop("dispatch"), "dispatch: is missing, so Juju could not run a hook"],
    ["a dispatch that is not executable", mode("dispatch", 0o100644), "dispatch: has not the mode 0755"],
    [
      "a dispatch for another shell",
      edit("dispatch", "#!/bin/sh", "#!/usr/bin/env bash"),
      "dispatch: does not begin with #!/bin/sh",
    ],
    [
      "an entry point that is a variable",
      edit("dispatch", /\S+\n$/, '"$main"\n'),
      "dispatch: ends in main, which is no file of the charm",
    ],
    [
      "an entry point that is not executable",
      mode("dist/charm/main.mjs", 0o100644),
      "dist/charm/main.mjs: is not executable, though dispatch ends in it",
    ],
    [
      "another file that dispatch names",
      edit("dispatch", "\nexec", '\n[ -f "dist/charm/none.mjs" ] || exit 1\nexec'),
      "dispatch: names dist/charm/none.mjs, which is no file of the charm",
    ],
    ["no node", drop("node/bin/node"), "node/bin/node: is missing, and Ubuntu has no Node.js"],
    [
      "a node that is no program",
      put("node/bin/node", "#!/bin/sh\n", 0o100755),
      "node/bin/node: is no program for 64-bit Linux",
    ],
    [
      "a node that is cut short",
      (files) => put("node/bin/node", elf(NODE).subarray(0, 100), 0o100755)(files),
      "node/bin/node: is no program for 64-bit Linux",
    ],
    [
      "a node for another machine",
      node({ machine: 183 }),
      "node/bin/node: is for the machine type 183, but the manifest says amd64",
    ],
    [
      "a node that wants a library",
      node({ libraries: ["libc.so.6", "libatomic.so.1"] }),
      "node/bin/node: needs libatomic.so.1, which not every Ubuntu machine has",
    ],
    [
      "a node for a newer glibc",
      node({ versions: ["GLIBC_2.35", "GLIBC_2.36"] }),
      "node/bin/node: needs GLIBC_2.36, which Ubuntu 22.04 has not",
    ],
    [
      "a node for a newer libstdc++",
      node({ versions: ["GLIBCXX_3.4.30", "GLIBCXX_3.4.31"] }),
      "node/bin/node: needs GLIBCXX_3.4.31, which Ubuntu 22.04 has not",
    ],
    [
      "a node with symbols",
      node({ hasSymbols: true }),
      "node/bin/node: has its symbols, which nobody needs on a unit",
    ],
  ])("finds %s", async (_, change, sentence) => {
    expect(await verify(change)).toEqual([sentence]);
  });

  it.each<readonly [string, Break, string]>([
    [
      "a link out of the charm",
      put("dist/charm/link", "../../../../etc/passwd", 0o120777),
      "dist/charm/link: links to ../../../../etc/passwd, out of the charm, so Juju does not unpack it",
    ],
    [
      "an absolute link",
      put("dist/link", "/etc/passwd", 0o120777),
      "dist/link: links to /etc/passwd, out of the charm, so Juju does not unpack it",
    ],
    [
      "a link inside",
      put("dist/link", "charm/main.mjs", 0o120777),
      "dist/link: is a link, which a charm from charmcraft would hold as a copy",
    ],
    [
      "a socket",
      put("dist/socket", "", 0o140755),
      "dist/socket: is neither file, folder nor link, so Juju does not unpack it",
    ],
    [
      "a file that everybody may write",
      mode("version", 0o100666),
      "version: has the mode 0666, not 0644 or 0755",
    ],
    [
      "a time before 1980",
      (files) => void files.set("version", { ...(files.get("version") as Given), isOld: true }),
      "version: has a time before 1980",
    ],
    [
      "an empty folder",
      (files) =>
        void files.set("dist/empty/", { path: "dist/empty/", content: Buffer.alloc(0), mode: 0o040755 }),
      "dist/empty: is an empty folder, which a charm from charmcraft would lack",
    ],
    [
      "a file that is there twice",
      (files) => void files.set("again", files.get("version") as Given),
      "version: is in the zip twice",
    ],
    ["an absolute path", put("/etc/passwd", "x"), "the zip cannot be read: absolute path: /etc/passwd"],
    [
      "a path out of the charm",
      put("dist/../../x", "x"),
      "the zip cannot be read: invalid relative path: dist/../../x",
    ],
    [
      "source",
      put("dist/charm/main.ts", "x"),
      "dist/charm/main.ts: is source, and the bundles are what runs",
    ],
    ["a source map", put("dist/charm/main.mjs.map", "{}"), "dist/charm/main.mjs.map: is a source map"],
    [
      "a pointer to one",
      edit("dist/charm/main.mjs", /$/, "\n//# sourceMappingURL=main.mjs.map\n"),
      "dist/charm/main.mjs: points to a source map",
    ],
    ["a test", put("dist/tests/x.mjs", "x"), "dist/tests/x.mjs: is a test"],
    ["a hidden file", put(".npmrc", "x"), ".npmrc: is a hidden file"],
    ["credentials", put("dist/clouds.yaml", "x"), "dist/clouds.yaml: may be a secret"],
    ["a private key", put("dist/build/key.sh", KEY), "dist/build/key.sh: holds a private key"],
    ["what is of no use", put("notes.txt", "x"), "notes.txt: has no place in the charm"],
    ["no icon", drop("icon.svg"), "icon.svg: is missing"],
    [
      "a command that is not executable",
      mode("bin/image-builder", 0o100644),
      "bin/image-builder: has not the mode 0755",
    ],
    ["no table of licences", drop("licenses/README.md"), "licenses/README.md: is missing"],
    [
      "a licence that is missing",
      drop("licenses/npm/ssh2.txt"),
      "licenses/npm/ssh2.txt: is missing or empty, the licence of ssh2",
    ],
    [
      "a licence of nothing",
      put("licenses/npm/left.txt", "x"),
      "licenses/npm/left.txt: is of nothing in licenses/README.md",
    ],
    [
      "the GPL missing",
      drop("licenses/GPL-3.0.txt"),
      "licenses/GPL-3.0.txt: is missing, which the LGPL refers to",
    ],
    [
      "another licence than ours",
      put("LICENSE", "All rights reserved"),
      "LICENSE: is not the Apache License 2.0",
    ],
  ])("finds %s", async (_, change, sentence) => {
    expect(await verify(change)).toEqual([sentence]);
  });

  it("finds a package that the table of licences does not name", async () => {
    const found = await verify(
      edit("licenses/README.md", /^\| pkgcloud .*\n/m, ""),
      drop("licenses/npm/pkgcloud.txt"),
    );
    expect(found).toEqual(["licenses/README.md: says nothing of pkgcloud"]);
  });

  it("finds a package above 60 MB, and one that is cut short", async () => {
    const charm = { path: "large.charm", entries: [], files: new Map() };
    expect(archiveProblems({ ...charm, bytes: 60_000_000 })).toEqual([]);
    expect(archiveProblems({ ...charm, bytes: 60_100_000 })).toEqual([
      "the file has 60.1 MB: 60 MB are the most",
    ]);
    const path = join(temporary.path, "cut.charm");
    const zip = await zipOf(good);
    await writeFile(path, zip.subarray(0, zip.length - 1_000));
    expect((await verifyCharm(path)).join()).toMatch(/^the zip cannot be read: /);
  });

  it("says on the command line what it finds, and whether it could look", async () => {
    const run = async (
      ...files: readonly string[]
    ): Promise<{ readonly code: number; readonly said: string }> => {
      try {
        const script = join(REPOSITORY, "scripts/verify-charm.ts");
        const { stdout } = await promisify(execFile)(process.execPath, [script, ...files]);
        return { code: 0, said: stdout };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, said: stdout + stderr };
      }
    };
    const path = join(temporary.path, "said.charm");
    await writeFile(path, await zipOf(good));
    expect(await run(path)).toEqual({
      code: 0,
      said: expect.stringMatching(/^said\.charm: holds, \d+\.\d MB\n$/) as string,
    });
    await writeFile(path, await zipOf(good.filter(({ path: name }) => name !== "icon.svg")));
    expect(await run(path)).toEqual({ code: 1, said: "said.charm: icon.svg: is missing\n" });
    const none = join(temporary.path, "none.charm");
    expect(await run(none)).toMatchObject({
      code: 2,
      said: expect.stringContaining(`cannot verify ${none}: ENOENT`) as string,
    });
    expect(await run()).toEqual({ code: 2, said: "usage: npm run verify-charm -- FILE.charm...\n" });
  });
});
