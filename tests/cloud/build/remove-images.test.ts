/** `image-builder remove-images` on the real image service. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { keepDeparture, listDepartures } from "../../../src/build/departures.ts";
import { ownerTags } from "../../../src/build/names.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import type { Owner } from "../../../src/build/types.ts";
import { formatCloudsYaml, listImages, type CloudAuth } from "../../../src/openstack/index.ts";
import {
  createTestImage,
  fakeCloudAuth,
  openFakeCloud,
  protectImage,
  uniqueName,
  type LabProject,
} from "../../support/openstack.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const call = { signal: AbortSignal.timeout(280_000) };

/** A departure of `runner-a` while `inUse` are the other targets; dispose of it to remove its files. */
async function departed(owner: Owner, inUse: readonly LabProject[], published: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "departure-"));
  const cloudsFile = join(folder, "clouds.yaml");
  const publishedFile = join(folder, "published.json");
  const clouds = new Map<string, CloudAuth>([["builder", await fakeCloudAuth("builder")]]);
  for (const project of inUse) clouds.set(`other ${project}`, await fakeCloudAuth(project));
  await writeFile(cloudsFile, formatCloudsYaml(clouds), { mode: 0o600 });
  await writeFile(publishedFile, formatPublished(published));
  const departures = join(folder, "departures");
  const departure = { cloud: "gone", since: new Date().toISOString(), owner, cloudsFile, publishedFile };
  await keepDeparture(departures, { ...departure, buildCloud: "builder" }, await fakeCloudAuth("runner-a"));
  return {
    departures,
    /** Runs the command; gives its exit code and log. */
    async run(): Promise<{ readonly code: number | null; readonly log: string }> {
      const [kept] = await listDepartures(departures);
      const child = spawn(process.execPath, [MAIN, "remove-images", "--departure", kept?.folder ?? ""], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let log = "";
      child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
      const [code] = (await once(child, "close")) as [number | null];
      return { code, log };
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const newOwner = (): Owner => {
  const application = uniqueName("app");
  return { modelUuid: "0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10", application, unit: `${application}/0` };
};

describe("images in a project that no relation uses", () => {
  test("are removed, and nothing else that only looks like them", async () => {
    const owner = newOwner();
    using cloud = await openFakeCloud("runner-a");
    const name = `${owner.application}-noble-x64`;
    const tags = (changes: Partial<Owner>) => ownerTags({ ...owner, ...changes }, "build", "runner");
    await using ours = await createTestImage(cloud, { name, properties: tags({}) });
    await using ofAnotherUnit = await createTestImage(cloud, {
      name,
      properties: tags({ unit: `${owner.application}/7` }),
    });
    await using foreign = await createTestImage(cloud, { name, properties: tags({ application: "other" }) });
    await using ofAnotherModel = await createTestImage(cloud, { name, properties: tags({ modelUuid: "x" }) });
    await using untagged = await createTestImage(cloud, { name });
    await using base = await createTestImage(cloud, { name, properties: ownerTags(owner, "b", "base") });
    await using departure = await departed(owner, ["runner-b"], []);
    const { code, log } = await departure.run();
    expect({ code, log }).toMatchObject({ code: 0, log: expect.stringContaining(ours.id) });
    expect(log).not.toContain("runner-a-pass");
    const left = (await listImages(cloud, { name, owner: cloud.projectId }, call)).map(({ id }) => id);
    expect(left.toSorted()).toEqual([foreign.id, ofAnotherModel.id, untagged.id, base.id].toSorted());
    expect(left).not.toContain(ofAnotherUnit.id);
    // the account is forgotten with them
    expect(await readdir(departure.departures)).toEqual([]);
  });

  test("stay while some relation publishes them, and are looked at again", async () => {
    const owner = newOwner();
    using cloud = await openFakeCloud("runner-a");
    const properties = ownerTags(owner, "build", "runner");
    await using published = await createTestImage(cloud, { properties });
    await using superseded = await createTestImage(cloud, { properties });
    await using departure = await departed(owner, [], [published.id]);
    expect((await departure.run()).code).toBe(1);
    const left = (await listImages(cloud, { owner: cloud.projectId }, call)).map(({ id }) => id);
    expect(left).toContain(published.id);
    expect(left).not.toContain(superseded.id);
    expect(await listDepartures(departure.departures)).toHaveLength(1);
  });

  test("stay when another relation uses the same project", async () => {
    const owner = newOwner();
    using cloud = await openFakeCloud("runner-a");
    await using image = await createTestImage(cloud, { properties: ownerTags(owner, "build", "runner") });
    await using departure = await departed(owner, ["runner-a"], []);
    const { code, log } = await departure.run();
    expect({ code, log }).toMatchObject({ code: 0, log: expect.stringContaining("another relation") });
    expect((await listImages(cloud, { owner: cloud.projectId }, call)).map(({ id }) => id)).toContain(
      image.id,
    );
  });

  test("that are protected are named, and tried again another time", async () => {
    const owner = newOwner();
    using cloud = await openFakeCloud("runner-a");
    const properties = ownerTags(owner, "build", "runner");
    await using image = await createTestImage(cloud, { properties });
    await using _protection = await protectImage(cloud, "runner-a", image.id);
    await using removable = await createTestImage(cloud, { properties });
    await using departure = await departed(owner, [], []);
    const { code, log } = await departure.run();
    expect(code).toBe(1);
    expect(log).toContain(`cannot remove ${image.name} (${image.id})`);
    const left = (await listImages(cloud, { owner: cloud.projectId }, call)).map(({ id }) => id);
    expect(left).not.toContain(removable.id);
    expect(await listDepartures(departure.departures)).toHaveLength(1);
  });
});
