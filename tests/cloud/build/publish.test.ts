import { describe, test } from "vitest";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { waitFor } from "../../../src/base/deadline.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { ownerTags, runnerImageName } from "../../../src/build/names.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import type { Owner } from "../../../src/build/types.ts";
import {
  type Cloud,
  type Image,
  openCloud,
  uploadImage,
  waitForImage,
} from "../../../src/openstack/index.ts";
import { type BuildChanges, useWorkshops, type Workshop } from "../../support/build.ts";
import { createTestImage, fakeCloudAuth } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const SPEC = { base: "noble", arch: "x64" } as const;
const options = { signal: AbortSignal.timeout(600_000), everyMs: 200 };

/** An active image named as the workshop's copies of noble are; it goes when the block ends. */
async function activeImage(
  cloud: Cloud,
  workshop: Workshop,
  properties: Readonly<Record<string, string>>,
  visibility: "private" | "public" = "private",
): Promise<Image & AsyncDisposable> {
  const name = runnerImageName(workshop.owner, SPEC);
  const image = await createTestImage(cloud, { name, properties, visibility });
  await uploadImage(cloud, image.id, Readable.from([Buffer.alloc(4096, 3)]), options);
  await waitForImage(cloud, image.id, options);
  // Glance counts whole seconds, and the next image is to be newer
  await waitFor(options.signal, 50, async () =>
    Date.now() >= image.createdAt.getTime() + 1000 ? true : undefined,
  );
  return image;
}

const runnerTags = (owner: Owner, build: string): Record<string, string> => ownerTags(owner, build, "runner");

/** A charm that publishes the newest copy and `pinned`; gives how it went to `reply`. */
function charm(workshop: Workshop, pinned: readonly string[], reply = true): BuildChanges {
  const ids = new Set<string>();
  return {
    onEvent: (event) => {
      if (event.event === "artifact") ids.add(event.imageId);
    },
    publish: async () => {
      await writeFile(join(workshop.folder, "published.json"), formatPublished([...ids, ...pinned]));
      return reply;
    },
  };
}

const idsIn = async (workshop: Workshop, project: "runner-a" | "runner-b"): Promise<string[]> =>
  (await workshop.images(project)).map(({ id }) => id);

describe.concurrent("pruning", () => {
  test("deletes the oldest of three revisions once the newest is published", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const copies: string[] = [];
    for (let at = 0; at < 3; at += 1) {
      const plan = charm(workshop, []);
      let before: string[] = [];
      const { outcome, build } = await workshop.run({
        ...plan,
        publish: async () => {
          before = await idsIn(workshop, "runner-a");
          return (await plan.publish?.()) ?? false;
        },
      });
      expect(outcome).toBe("done");
      copies.unshift(...build.artifacts.map(({ imageId }) => imageId));
      // nothing is gone before the charm has had its word
      expect(before).toEqual(copies);
      expect(build.steps.slice(-2).map(({ step }) => step)).toEqual(["publish", "prune superseded images"]);
    }
    expect(await idsIn(workshop, "runner-a")).toEqual(copies.slice(0, 2));
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("deletes only what is ours, superseded and in no databag", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const { owner, clouds } = workshop;
    const build = (day: number): string => `2020010${day}t000000-0000`;
    const tags = runnerTags(owner, build(1));
    const target = clouds["runner-a"];
    const admin = await openCloud(
      "admin",
      {
        ...(await fakeCloudAuth("runner-a")),
        projectName: "admin",
        username: "admin",
        password: "adminpass",
      },
      { ...options, log: silentLogger },
    );
    using _closed = { [Symbol.dispose]: () => admin.close() };
    // oldest first: the newest two revisions are the build's own and `second`
    await using published = await activeImage(target, workshop, tags);
    await using otherUnit = await activeImage(target, workshop, {
      ...runnerTags({ ...owner, unit: `${owner.application}/1` }, build(2)),
    });
    await using first = await activeImage(target, workshop, runnerTags(owner, build(3)));
    await using second = await activeImage(target, workshop, runnerTags(owner, build(4)));
    await using untagged = await activeImage(target, workshop, {});
    await using otherModel = await activeImage(target, workshop, {
      ...runnerTags({ ...owner, modelUuid: "00000000-0000-4000-8000-000000000000" }, "b"),
    });
    await using otherProject = await activeImage(clouds["runner-b"], workshop, tags);
    await using shared = await activeImage(admin, workshop, tags, "public");

    const ended = await workshop.run(charm(workshop, [published.id]));
    expect(ended.build.errors).toEqual([]);
    expect(ended.outcome).toBe("done");
    const [copy] = ended.build.artifacts;
    const left = new Set(await idsIn(workshop, "runner-a"));
    expect(left).toEqual(new Set([copy?.imageId, second.id, published.id, untagged.id, otherModel.id]));
    expect(left).not.toContain(first.id);
    // history is the application's: whichever unit leads prunes it
    expect(left).not.toContain(otherUnit.id);
    expect(await idsIn(workshop, "runner-b")).toEqual([otherProject.id]);
    await expect(waitForImage(admin, shared.id, options)).resolves.toMatchObject({ visibility: "public" });
  });

  test("deletes nothing when the charm could not publish", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const target = workshop.clouds["runner-a"];
    const tags = runnerTags(workshop.owner, "20200101t000000-0000");
    await using first = await activeImage(target, workshop, tags);
    await using second = await activeImage(target, workshop, tags);
    const { outcome, build } = await workshop.run(charm(workshop, [], false));
    expect(outcome).toBe("done");
    expect(build.steps.at(-1)).toMatchObject({ step: "publish", error: null });
    expect(await idsIn(workshop, "runner-a")).toEqual([build.artifacts[0]?.imageId, second.id, first.id]);
  });
});
