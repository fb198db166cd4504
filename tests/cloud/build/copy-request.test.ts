import { Readable } from "node:stream";
import { describe, test } from "vitest";
import { ownerTags, TAG } from "../../../src/build/names.ts";
import type { Source } from "../../../src/build/types.ts";
import { type Cloud, type Image, uploadImage, waitForImage } from "../../../src/openstack/index.ts";
import { useWorkshops, type Workshop } from "../../support/build.ts";
import { createTestImage, fakeCloudAuth } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const NOBLE = { base: "noble", arch: "x64" } as const;
const options = { signal: AbortSignal.timeout(600_000), everyMs: 200 };

/** A whole image of the workshop's application, as a build that was cut short leaves it. */
async function leftImage(
  workshop: Workshop,
  cloud: Cloud,
  role: "snapshot" | "runner",
): Promise<Image & AsyncDisposable> {
  const properties = {
    ...ownerTags(workshop.owner, "cut", role),
    [TAG.recipe]: "recipe-of-cut",
    [TAG.revision]: "cut",
    hw_disk_bus: "virtio",
  };
  const name = `${workshop.owner.application}-noble-x64`;
  const image = await createTestImage(cloud, { name, properties, visibility: "private" });
  await uploadImage(cloud, image.id, Readable.from([Buffer.alloc(70_000, 7)]), options);
  await waitForImage(cloud, image.id, options);
  return image;
}

const sourceOf = (cloud: string, imageId: string): Source => ({
  spec: NOBLE,
  cloud,
  imageId,
  buildId: "cut",
});
const launches = (steps: readonly { step: string }[]): number =>
  steps.filter(({ step }) => step === "launch the builder").length;

describe.concurrent("a copy", () => {
  test("brings a good image to a new cloud without a server, and keeps its revision", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const built = await workshop.run();
    expect(built.build.errors).toEqual([]);
    await workshop.writeClouds(["builder", "runner-a", "runner-b"]);
    const [first] = built.build.artifacts;
    const sources = [
      { spec: NOBLE, cloud: "runner-a", imageId: first?.imageId ?? "", buildId: built.build.id },
    ];
    const copied = await workshop.run({ request: { kind: "copy", targets: ["runner-b"], sources } });

    expect(copied.build.errors).toEqual([]);
    expect(copied.outcome).toBe("done");
    expect(copied.ran).toEqual([]);
    expect(launches(copied.build.steps)).toBe(0);
    expect(copied.build.artifacts).toMatchObject([
      { cloud: "runner-b", buildId: built.build.id, hash: first?.hash, sizeBytes: first?.sizeBytes },
    ]);
    const [source] = await workshop.images("runner-a");
    const [copy] = await workshop.images("runner-b");
    const { [TAG.build]: _source, ...content } = source?.properties ?? {};
    const { [TAG.build]: by, ...copiedContent } = copy?.properties ?? {};
    expect(by).toBe(copied.build.id);
    expect(copiedContent).toMatchObject(
      Object.fromEntries(
        Object.entries(content).filter(([key]) => /^(image-builder\.|hw_|architecture)/.test(key)),
      ),
    );
    expect(copy).toMatchObject({ minDiskGb: source?.minDiskGb, diskFormat: source?.diskFormat });
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("goes on with the snapshot of a build that was cut short, where nobody has a copy yet", async ({
    expect,
  }) => {
    await using workshop = await openWorkshop();
    await using snapshot = await leftImage(workshop, workshop.clouds.builder, "snapshot");
    const { build, outcome } = await workshop.run({
      request: { kind: "copy", sources: [sourceOf("builder", snapshot.id)] },
    });
    expect(build.errors).toEqual([]);
    expect(outcome).toBe("done");
    expect(launches(build.steps)).toBe(0);
    const copies = new Map(build.artifacts.map(({ cloud, buildId }) => [cloud, buildId]));
    expect(Object.fromEntries(copies)).toEqual({ "runner-a": "cut", "runner-b": "cut" });
    const [copy] = await workshop.images("runner-a");
    expect(copy?.properties).toMatchObject({ [TAG.recipe]: "recipe-of-cut", hw_disk_bus: "virtio" });
    // the snapshot has done its work
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("leaves a cloud alone that the build had reached before it was cut short", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await using snapshot = await leftImage(workshop, workshop.clouds.builder, "snapshot");
    await using before = await leftImage(workshop, workshop.clouds["runner-a"], "runner");
    const sources = [sourceOf("runner-a", before.id), sourceOf("builder", snapshot.id)];
    const { build, outcome } = await workshop.run({ request: { kind: "copy", sources } });
    expect(outcome).toBe("done");
    expect(build.artifacts.map(({ cloud }) => cloud)).toEqual(["runner-b"]);
    expect((await workshop.images("runner-a")).map(({ id }) => id)).toEqual([before.id]);
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("builds what nobody has any more", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    await using foreign = await createTestImage(workshop.clouds["runner-b"], {
      name: "foreign",
      properties: {},
      visibility: "private",
    });
    const sources = [
      sourceOf("runner-a", "00000000-0000-4000-8000-000000000000"),
      sourceOf("runner-b", foreign.id),
    ];
    const { build, outcome } = await workshop.run({ request: { kind: "copy", sources } });
    expect(build.errors).toEqual([]);
    expect(outcome).toBe("done");
    expect(launches(build.steps)).toBe(1);
    expect(build.artifacts).toMatchObject([{ cloud: "runner-a", buildId: build.id }]);
  });

  test("to a cloud that lets nobody in fails, and says which cloud was tried", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await using good = await leftImage(workshop, workshop.clouds["runner-a"], "runner");
    const wrong = { ...(await fakeCloudAuth("runner-b")), password: "wrong" };
    await workshop.writeClouds(["builder", "runner-a"], { "runner-b": wrong });
    const sources = [sourceOf("runner-a", good.id)];
    const { build, outcome } = await workshop.run({
      request: { kind: "copy", targets: ["runner-b"], sources },
    });
    expect(outcome).toBe("failed");
    expect(build.targets).toEqual(["runner-b"]);
    expect(build.errors.join()).toContain("runner-b: ");
  });
});

describe.concurrent("projects that are the same", () => {
  test("share one copy", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"], { twin: await fakeCloudAuth("runner-a") });
    const { build, outcome } = await workshop.run();
    expect(outcome).toBe("done");
    const images = await workshop.images("runner-a");
    expect(images).toHaveLength(1);
    const copies = new Map(build.artifacts.map(({ cloud, imageId }) => [cloud, imageId]));
    expect(Object.fromEntries(copies)).toEqual({ "runner-a": images[0]?.id, twin: images[0]?.id });
  });

  test("as the build project get the snapshot itself: no second copy, and none is deleted", async ({
    expect,
  }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"], { own: await fakeCloudAuth("builder") });
    const { build, outcome, events } = await workshop.run();
    expect(build.errors).toEqual([]);
    expect(outcome).toBe("done");
    const snapshot = events.find((event) => event.event === "created" && event.kind === "snapshot");
    const own = build.artifacts.find(({ cloud }) => cloud === "own");
    expect(own?.imageId).toBe(snapshot?.event === "created" ? snapshot.id : null);
    const kept = (await workshop.images("builder")).filter(
      ({ properties }) => properties[TAG.role] !== "base",
    );
    const [copy] = await workshop.images("runner-a");
    expect(kept).toMatchObject([
      { id: own?.imageId, name: copy?.name, hashValue: copy?.hashValue, status: "active" },
    ]);
    for (const tag of [TAG.role, TAG.base, TAG.revision, TAG.recipe, TAG.runnerVersion, "architecture"]) {
      expect(kept[0]?.properties[tag]).toBe(copy?.properties[tag]);
    }
  });
});
