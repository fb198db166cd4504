import { readFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { parseGuestContents } from "../../../../src/build/manifest/guest-contents.ts";
import { runInSandbox, type Seed } from "../../../support/sandbox.ts";

// a sandbox of its own each, on machines that run other tests at the same time
vi.setConfig({ testTimeout: 30_000 });

const SEED: Seed = {
  "/etc/cloud/build.info": "build_name: server\nserial: 20261120\n",
  "/home/ubuntu/actions-runner/.image-builder-version": "2.333.1\n",
  "/run/image-builder/sections.tsv": "packages\t74\t2\n",
};

/** Runs the script where `programs` take the place of the machine's own, each a text of sh. */
async function run(programs: Readonly<Record<string, string>>, seed: Seed = SEED): Promise<string> {
  const script = await readFile(new URL("../../../../src/build/guest/manifest.sh", import.meta.url), "utf8");
  const stand = Object.entries(programs).map(
    ([name, text]) =>
      `printf '#!/bin/sh\\n%s\\n' '${text}' > /usr/local/sbin/${name}; chmod +x /usr/local/sbin/${name}\n`,
  );
  return await runInSandbox(`PATH=/usr/local/sbin:$PATH\n${stand.join("")}${script}`, seed);
}

const GOOD = {
  "dpkg-query": 'printf "ii \\tjq\\t1.7\\tamd64\\n"',
  npm: 'echo "{\\"dependencies\\":{\\"yarn\\":{\\"version\\":\\"1.22\\"}}}"',
  // reads on, as programs do that know no better
  snap: 'cat > /dev/null; echo "Name Version Rev Tracking"; echo "juju 3.6 32 latest/stable"',
  python3: 'test "$1" = -c || echo "[{\\"name\\":\\"PyYAML\\",\\"version\\":\\"6.0\\"}]"',
};

test("tells serial, packages, runner and sections of the guest that it runs in", async () => {
  const contents = parseGuestContents(await run(GOOD));
  expect(contents).toMatchObject({
    release: { version: expect.stringMatching(/./) },
    serial: "20261120",
    runnerVersion: "2.333.1",
    sections: [{ name: "packages", seconds: 74, tries: 2 }],
    notRead: [],
  });
  expect(contents.components.map(({ kind, name, version }) => `${kind} ${name} ${version}`)).toEqual([
    "deb jq 1.7",
    "snap juju 3.6 (32)",
    "npm yarn 1.22",
    "pip PyYAML 6.0",
  ]);
});

test("says why a part cannot be read, and goes on", async () => {
  const npm =
    'echo "npm error enoent no such folder" >&2; echo "npm error A complete log of this run can be found in: /x" >&2; exit 254';
  const { "/run/image-builder/sections.tsv": _, ...without } = SEED;
  const { notRead, components } = parseGuestContents(await run({ ...GOOD, npm }, without));
  expect(notRead).toEqual([
    "npm: exit code 254: npm error enoent no such folder",
    expect.stringMatching(/^sections: exit code 1: cat: .*No such file/),
  ]);
  expect(components.map(({ kind }) => kind)).toEqual(["deb", "snap", "pip"]);
});

test("fails where dpkg does", async () => {
  const broken = { ...GOOD, "dpkg-query": 'echo "dpkg-query: error: broken" >&2; exit 2' };
  await expect(run(broken)).rejects.toThrow("dpkg-query: error: broken");
});
