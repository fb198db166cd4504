import { mkdtempDisposable, open as openFile, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { unpackCharm } from "../../../lab/juju/charm-file.ts";
import { playground } from "../../support/charms/shell-charm.ts";
import { zipOf, type Given } from "../../support/zip.ts";

const entry = (path: string, text: string, mode = 0o100644): Given => ({
  path,
  content: Buffer.from(text),
  mode,
});
const HOOK = entry("dispatch", '#!/bin/sh\njuju-log "$(cat words) $(ls)"\n', 0o100755);
const DECLARATIONS = [
  entry("metadata.yaml", "name: zipped\n"),
  entry("manifest.yaml", "bases: [{name: ubuntu}]\n"),
];

it("a charm file is unpacked with its modes and with links that stay inside", async () => {
  await using temporary = await mkdtempDisposable(join(tmpdir(), "unpack-"));
  const [file, folder] = [join(temporary.path, "a.charm"), join(temporary.path, "a")];
  await writeFile(
    file,
    await zipOf([HOOK, entry("lib/a", "a", 0o100600), entry("lib/link", "../dispatch", 0o120777)]),
  );
  await unpackCharm(file, folder);
  const modes = await Promise.all(
    ["dispatch", "lib/a"].map(async (path) => (await stat(join(folder, path))).mode & 0o777),
  );
  expect(modes).toEqual([0o755, 0o600]);
  expect(await readlink(join(folder, "lib/link"))).toBe("../dispatch");
  // a file that somebody has open stays theirs: a running program is not written over
  await using open = await openFile(join(folder, "lib/a"));
  await unpackCharm(file, folder);
  expect((await open.stat()).nlink).toBe(0);
});

it.each<readonly [string, Given, RegExp]>([
  [
    "an absolute link",
    entry("lib/link", "/etc/passwd", 0o120777),
    /lib\/link .*: symlink "\/etc\/passwd" is absolute or leads out/,
  ],
  [
    "a link out of it",
    entry("lib/link", "../../x", 0o120777),
    /lib\/link .*: symlink "\.\.\/\.\.\/x" is absolute or leads out/,
  ],
  ["a fifo", entry("lib/pipe", "", 0o010644), /lib\/pipe .*: unknown file type/],
  ["a path out of it", entry("../x", "x"), /invalid relative path: \.\.\/x/],
])("a charm file is refused with %s", async (_, bad, message) => {
  await using temporary = await mkdtempDisposable(join(tmpdir(), "unpack-"));
  const file = join(temporary.path, "a.charm");
  await writeFile(file, await zipOf([bad]));
  await expect(unpackCharm(file, join(temporary.path, "a"))).rejects.toThrow(message);
});

it("a charm file is deployed, and refreshed to another one whose files replace the old", async () => {
  await using lab = await playground();
  await using temporary = await mkdtempDisposable(join(tmpdir(), "unpack-"));
  const write = async (name: string, ...entries: readonly Given[]): Promise<string> => {
    const file = join(temporary.path, name);
    await writeFile(file, await zipOf([HOOK, ...DECLARATIONS, ...entries]));
    return file;
  };
  await lab.juju.deploy("app", { charm: await write("1.charm", entry("words", "first"), entry("old", "")) });
  await lab.juju.settle();
  await lab.juju.upgradeCharm("app", await write("2.charm", entry("words", "second"), entry("new", "")));
  await lab.juju.settle();
  const said = lab.juju.logs().map(({ message }) => message);
  expect(said).toContainEqual(expect.stringMatching(/^first [^]*\bold\b/));
  expect(said.findLast((message) => message.startsWith("second "))).not.toContain("old");
  expect(await readFile(join(lab.juju.charmDirectory("app/0"), "words"), "utf8")).toBe("second");
});
