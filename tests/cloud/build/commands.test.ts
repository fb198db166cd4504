import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { waitFor } from "../../../src/base/deadline.ts";
import { ownerTags, TAG, type Role } from "../../../src/build/names.ts";
import { readPins } from "../../../src/build/pins.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import type { BuildRequest } from "../../../src/build/types.ts";
import { type Image, uploadImage, waitForImage } from "../../../src/openstack/index.ts";
import { useWorkshops, type Workshop } from "../../support/build.ts";
import { cli, type CliResult } from "../../support/cli.ts";
import { createTestImage, fakeCloudAuth, protectImage } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const options = { signal: AbortSignal.timeout(600_000), everyMs: 200 };

/** The file of a request as the charm keeps it: two revisions stay. */
async function requestFile(workshop: Workshop, changes: Partial<BuildRequest> = {}): Promise<string> {
  const request = await workshop.newRequest();
  const file = join(workshop.folder, "request.json");
  const publishedFile = join(workshop.folder, "published.json");
  await writeFile(file, JSON.stringify({ ...request, id: "none", publishedFile, ...changes }));
  return file;
}

async function publish(workshop: Workshop, ...ids: readonly string[]): Promise<void> {
  await writeFile(join(workshop.folder, "published.json"), formatPublished(ids));
}

async function imageOf(
  workshop: Workshop,
  project: "runner-a" | "builder",
  revision: string,
  role: Role,
): Promise<Image & AsyncDisposable> {
  const { owner, clouds } = workshop;
  const properties = { ...ownerTags(owner, revision, role), [TAG.revision]: revision };
  const name = `${owner.application}-noble-x64`;
  const image = await createTestImage(clouds[project], { name, properties, visibility: "private" });
  await uploadImage(clouds[project], image.id, Readable.from([Buffer.from(revision)]), options);
  await waitForImage(clouds[project], image.id, options);
  return image;
}

const json = (result: CliResult): Record<string, unknown>[] => JSON.parse(result.stdout);

describe.concurrent("commands about the clouds", () => {
  test("list, prune and roll back what there is", async () => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const request = await requestFile(workshop);
    await using r1 = await imageOf(workshop, "runner-a", "r1", "runner");
    await using r2 = await imageOf(workshop, "runner-a", "r2", "runner");
    await using r3 = await imageOf(workshop, "runner-a", "r3", "runner");
    await using r4 = await imageOf(workshop, "runner-a", "r4", "runner");
    await using upload = await imageOf(workshop, "runner-a", "r5", "upload");
    await publish(workshop, r4.id);

    const listed = await cli("list-images", "--request", request, "--json");
    expect(listed.stderr).toBe("");
    expect(listed.code).toBe(0);
    const states = json(listed).map(({ id, state, cloud }) => [id, state, cloud]);
    expect(states).toEqual([
      [upload.id, "uploading", "runner-a"],
      [r4.id, "published", "runner-a"],
      [r3.id, "superseded", "runner-a"],
      [r2.id, "superseded", "runner-a"],
      [r1.id, "superseded", "runner-a"],
    ]);
    const table = (await cli("list-images", "--request", request)).stdout.split("\n");
    expect(table[0]).toMatch(/^IMAGE +CLOUD +ID +STATE +REVISION +CREATED +SIZE$/);
    expect(table[2]).toMatch(new RegExp(`^noble-x64 +runner-a +${r4.id} +published +r4 +20`));

    // without --apply nothing goes
    const dry = await cli("prune", "--request", request);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain("nothing was deleted; --apply deletes these");
    expect(await workshop.images("runner-a")).toHaveLength(5);

    const rolled = await cli("rollback", "--request", request);
    expect(rolled).toMatchObject({
      code: 0,
      stdout: `noble-x64 is pinned to r3: ${r3.id} in runner-a\n`,
    });
    const { pins } = await readPins(join(workshop.folder, "pins.json"));
    expect(pins).toMatchObject([{ buildId: "r3", copies: [{ cloud: "runner-a", imageId: r3.id }] }]);
    const named = await cli("rollback", "--request", request, "--image", "noble-x64", "--to", r2.id);
    expect(named.stdout).toContain(`pinned to r2: ${r2.id}`);
    await publish(workshop, r2.id);

    await using _protected = await protectImage(workshop.clouds["runner-a"], "runner-a", r1.id);
    const applied = await cli("prune", "--request", request, "--apply", "--json");
    expect(applied.code).toBe(0);
    // r4 and r3 are the newest two, r2 is published, r1 is the one before it
    expect(json(applied)).toEqual([]);
    expect(await cli("unpin", "--request", request)).toMatchObject({
      code: 0,
      stdout: "no longer pinned: noble-x64\n",
    });
    await publish(workshop, r4.id);
    const again = await cli("prune", "--request", request, "--apply", "--json");
    expect(json(again)).toMatchObject([
      { id: r2.id, outcome: "deleted", reason: null },
      { id: r1.id, outcome: "stays", reason: expect.stringContaining("protected") },
    ]);
    expect(again.code).toBe(0);
    expect((await workshop.images("runner-a")).map(({ id }) => id)).not.toContain(r2.id);
  });

  test("reap what dead builds left, and nothing of those that run", async () => {
    await using workshop = await openWorkshop();
    const request = await requestFile(workshop);
    await using dead = await imageOf(workshop, "runner-a", "dead", "upload");
    await using snapshot = await imageOf(workshop, "builder", "dead", "snapshot");
    await using good = await imageOf(workshop, "runner-a", "good", "runner");
    const dry = await cli("reap", "--request", request, "--json");
    expect(json(dry).map(({ id, outcome }) => [id, outcome])).toEqual([
      [snapshot.id, "left behind"],
      [dead.id, "left behind"],
    ]);
    const applied = await cli("reap", "--request", request, "--apply");
    expect(applied.code).toBe(0);
    expect(applied.stdout).toMatch(new RegExp(`image +runner-a +${dead.id} +.* +deleted`));
    await waitFor(options.signal, 200, async () => {
      const left = (await workshop.images("runner-a")).map(({ id }) => id);
      return left.length === 1 && left[0] === good.id ? true : undefined;
    });
    expect((await cli("reap", "--request", request)).stdout).toBe("there is nothing to reap\n");
  });

  test("check all that a build needs, and name all that is wrong", async () => {
    await using workshop = await openWorkshop();
    const request = await requestFile(workshop);
    const good = await cli("check", "--request", request, "--json");
    const failed = json(good).filter(({ outcome }) => outcome === "failed");
    expect(failed).toEqual([]);
    expect(good.code).toBe(0);
    expect(json(good).map(({ where, what }) => `${String(where)}: ${String(what)}`)).toEqual([
      "builder: credentials and catalogue",
      "builder: image formats",
      "builder: flavor and quota",
      "builder: network",
      "runner-a: credentials and catalogue",
      "runner-a: image formats",
      "runner-b: credentials and catalogue",
      "runner-b: image formats",
      "mirrors: base image of noble-x64",
      "mirrors: runner",
    ]);

    const wrong = { ...(await fakeCloudAuth("runner-b")), password: "not-the-Passw0rd" };
    await workshop.writeClouds(["builder", "runner-a"], { "runner-b": wrong });
    const bad = await requestFile(workshop, {
      flavor: "gigantic",
      network: "nowhere",
      script: { url: `${workshop.mirror.images}/no-script.sh`, sha256: "" },
    });
    const { code, stderr, stdout } = await cli("check", "--request", bad);
    expect(code).toBe(1);
    for (const word of ['no flavor "gigantic"', 'no network "nowhere"', "wrong password", "script-url: "]) {
      expect(stderr).toContain(word);
      expect(stdout).toContain(word);
    }
    expect(stdout).toMatch(/^ok +runner-a +image formats +qcow2 and bare are taken$/m);
  });

  test.each([
    [["list-images"], "a cloud that lets nobody in"],
    [["reap", "--apply"], "a cloud that lets nobody in"],
  ])("%j tells of the other clouds when there is %s, and fails", async ([name = "", ...flags]) => {
    await using workshop = await openWorkshop();
    const wrong = { ...(await fakeCloudAuth("runner-b")), password: "not-the-Passw0rd" };
    await workshop.writeClouds(["builder", "runner-a"], { "runner-b": wrong });
    await using image = await imageOf(workshop, "runner-a", "r1", name === "reap" ? "upload" : "runner");
    const { code, stdout, stderr } = await cli(name, "--request", await requestFile(workshop), ...flags);
    expect(code).toBe(1);
    expect(stdout).toContain(image.id);
    expect(stderr).toMatch(/^error: cannot ask runner-b: .*wrong password/m);
  });
});
