import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { parseGuestContents } from "../../../src/build/manifest/guest-contents.ts";
import { renderSpdx } from "../../../src/build/manifest/spdx.ts";
import { diffCommand, type DiffOptions } from "../../../src/cli/commands/diff.ts";
import { requestWith, writeBuild } from "../../support/builds.ts";
import { GUEST_OUTPUT } from "../../support/guest-contents.ts";

const IMAGE_ID = "6b86db7e-0e03-4b0b-a679-86cc0be62534";
const NEWER = GUEST_OUTPUT.replace("ii \tjq\t1.7.1-3ubuntu0.24.04.1", "ii \tjq\t1.8.0")
  .replace("6.8.0-88-generic", "6.8.0-90-generic")
  .replace(/ii \tpython3-yaml.*\n/, "ii \tzsh\t5.9\tamd64\n");

function manifest(buildId: string, output: string): string {
  return renderSpdx(parseGuestContents(output), {
    buildId,
    image: "noble-x64",
    modelUuid: "uuid",
    created: new Date(0),
    serial: null,
    baseImageSha256: "00",
    recipeDigest: "11",
  });
}

/** Two builds of one image each, whose second one has copied it to a cloud. */
async function twoBuilds(root: string): Promise<{ readonly builds: string; readonly folders: string[] }> {
  const builds = join(root, "builds");
  const folders = [];
  for (const [id, output] of [["build-1", GUEST_OUTPUT] as const, ["build-2", NEWER] as const]) {
    const folder = await writeBuild(builds, requestWith({ id, images: [{ base: "noble", arch: "x64" }] }));
    await writeFile(join(folder, "manifest-noble-x64.spdx.json"), manifest(id, output));
    folders.push(folder);
  }
  const copy = {
    at: "2026-11-24T02:16:00.000Z",
    event: "artifact",
    spec: { base: "noble", arch: "x64" },
    cloud: "runner",
    imageId: IMAGE_ID,
    sizeBytes: 1,
    hash: "sha512:00",
  };
  await writeFile(join(folders[1] ?? "", "journal.jsonl"), `${JSON.stringify(copy)}\n`);
  return { builds, folders };
}

async function diff(before: string, after: string, changes: Partial<DiffOptions> = {}): Promise<string> {
  const stdout = new PassThrough();
  const terminal = {
    env: {},
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: process.stderr,
    signal: new AbortController().signal,
    setExitCode: () => {},
    proxy: () => null,
  };
  await diffCommand({ before, after, image: null, builds: null, json: false, ...changes }, terminal);
  stdout.end();
  return await text(stdout);
}

const CHANGES = [
  "~ image  kernel        6.8.0-88-generic -> 6.8.0-90-generic\n",
  "~ deb    jq            1.7.1-3ubuntu0.24.04.1 -> 1.8.0\n",
  "- deb    python3-yaml  6.0.1-2build2\n",
  "+ deb    zsh           5.9\n",
].join("");

describe("diff tells what changed between two images", () => {
  test("by their builds' folders", async () => {
    await using root = await mkdtempDisposable(join(tmpdir(), "diff-"));
    const { folders } = await twoBuilds(root.path);
    const [before = "", after = ""] = folders;
    expect(await diff(before, after)).toBe(CHANGES);
    expect(await diff(before, before)).toBe("nothing changed\n");
  });

  test("by manifest, by the build's id and by the id of an image in OpenStack", async () => {
    await using root = await mkdtempDisposable(join(tmpdir(), "diff-"));
    const { builds, folders } = await twoBuilds(root.path);
    const file = join(folders[0] ?? "", "manifest-noble-x64.spdx.json");
    expect(await diff(file, "build-2", { builds })).toBe(CHANGES);
    expect(await diff("build-1", IMAGE_ID, { builds })).toBe(CHANGES);
  });

  test("to programs", async () => {
    await using root = await mkdtempDisposable(join(tmpdir(), "diff-"));
    const { folders } = await twoBuilds(root.path);
    const [before = "", after = ""] = folders;
    expect(JSON.parse(await diff(before, after, { json: true }))).toContainEqual({
      kind: "deb",
      name: "zsh",
      before: null,
      after: "5.9",
    });
  });

  test("or says in one sentence why it cannot", async () => {
    await using root = await mkdtempDisposable(join(tmpdir(), "diff-"));
    const { builds, folders } = await twoBuilds(root.path);
    const [first = ""] = folders;
    const request = requestWith({
      id: "build-3",
      images: [
        { base: "noble", arch: "x64" },
        { base: "jammy", arch: "x64" },
      ],
    });
    const several = await writeBuild(builds, request);
    await expect(diff(first, several)).rejects.toThrow(
      "build build-3 has several images; name one with --image: noble-x64, jammy-x64",
    );
    await expect(diff(first, several, { image: "jammy-x64" })).rejects.toThrow(
      "build build-1 has no image jammy-x64; name one with --image: noble-x64",
    );
    await expect(diff(several, several, { image: "jammy-x64" })).rejects.toThrow(
      `there is no manifest ${several}/manifest-jammy-x64.spdx.json; a build writes it before it cleans the guest`,
    );
    await expect(diff(first, "nowhere")).rejects.toThrow(
      "there is no build and no manifest nowhere; for the id",
    );
    await expect(diff(first, "nowhere", { builds })).rejects.toThrow(
      `${builds} has no build nowhere, and none that made an image with that id`,
    );
    await expect(diff(`${first}/request.json/x`, first)).rejects.toThrow("there is no build and no manifest");
    await expect(diff(first, root.path)).rejects.toThrow(`there is no build in ${root.path}`);
  });
});
