import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  createImage,
  deleteImage,
  downloadImage,
  getImage,
  ImageFailedError,
  isNotFound,
  listImages,
  OpenStackError,
  updateImageProperties,
  uploadImage,
  waitForImage,
} from "../../../src/openstack/index.ts";
import { createTestImage, onExit, openFakeCloud, uniqueName } from "../../support/openstack.ts";

const signal = AbortSignal.timeout(300_000);
const options = { signal, everyMs: 200 };
const MIB = 1024 * 1024;

/** `count` MiB of data that does not repeat, and its SHA-512. */
function pseudoRandom(count: number): { data: AsyncIterable<Uint8Array>; hash: () => string } {
  const hash = createHash("sha512");
  async function* data(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < count; at += 1) {
      const chunk = Buffer.alloc(MIB, createHash("sha512").update(String(at)).digest());
      hash.update(chunk);
      yield chunk;
    }
  }
  return { data: data(), hash: () => hash.digest("hex") };
}

const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("image data", () => {
  test.each([
    ["in chunks", undefined],
    ["with its length", 64 * MIB],
  ])("comes back as it went, sent %s", async (_name, sizeBytes) => {
    using cloud = await openFakeCloud("builder");
    await using queued = await createTestImage(cloud);
    expect(queued).toMatchObject({ status: "queued", sizeBytes: null, hashValue: null });
    const sent = pseudoRandom(64);
    await uploadImage(cloud, queued.id, sent.data, {
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      signal,
    });

    const image = await waitForImage(cloud, queued.id, options);
    expect(image).toMatchObject({
      status: "active",
      sizeBytes: 64 * MIB,
      hashAlgorithm: "sha512",
      hashValue: sent.hash(),
    });

    const got = createHash("sha512");
    for await (const chunk of await downloadImage(cloud, queued.id, { signal })) got.update(chunk as Buffer);
    expect(got.digest("hex")).toBe(image.hashValue);
  });

  test("goes from one project to another without touching the disk", async () => {
    using builder = await openFakeCloud("builder");
    using runner = await openFakeCloud("runner-a");
    await using source = await createTestImage(builder);
    await using target = await createTestImage(runner);
    await uploadImage(builder, source.id, pseudoRandom(8).data, { signal });
    await uploadImage(runner, target.id, await downloadImage(builder, source.id, { signal }), { signal });
    const [one, two] = [
      await getImage(builder, source.id, options),
      await getImage(runner, target.id, options),
    ];
    expect(two).toMatchObject({ status: "active", sizeBytes: 8 * MIB, hashValue: one.hashValue });
    expect(isNotFound(await failureOf(getImage(runner, source.id, options)))).toBe(true);
  });

  test("an upload that is cut off leaves an image that is not active", async () => {
    using cloud = await openFakeCloud("builder");
    await using image = await createTestImage(cloud);
    const abort = new AbortController();
    async function* data(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(MIB);
      abort.abort(new Error("power cut"));
      yield Buffer.alloc(MIB);
    }
    await expect(uploadImage(cloud, image.id, data(), { signal: abort.signal })).rejects.toThrow("power cut");
    expect((await getImage(cloud, image.id, options)).status).not.toBe("active");
  });

  test("cannot be given twice, nor read before it is there", async () => {
    using cloud = await openFakeCloud("builder");
    await using image = await createTestImage(cloud);
    await expect(downloadImage(cloud, image.id, { signal })).rejects.toBeInstanceOf(OpenStackError);
    await uploadImage(cloud, image.id, pseudoRandom(1).data, { signal });
    await expect(uploadImage(cloud, image.id, pseudoRandom(1).data, { signal })).rejects.toThrow(
      `cannot upload data to image ${image.id}: it is active, not queued`,
    );
  });
});

describe("images", () => {
  test("keep what they were created with, and what is changed later", async () => {
    using cloud = await openFakeCloud("builder");
    await using image = await createTestImage(cloud, {
      diskFormat: "qcow2",
      minDiskGb: 3,
      minRamMb: 512,
      visibility: "shared",
      tags: ["a-tag"],
      properties: { architecture: "x86_64", "odd/name~1": "x" },
    });
    expect(image).toMatchObject({
      diskFormat: "qcow2",
      containerFormat: "bare",
      minDiskGb: 3,
      minRamMb: 512,
      visibility: "shared",
      owner: cloud.projectId,
      isProtected: false,
      tags: ["a-tag"],
      properties: { architecture: "x86_64", "odd/name~1": "x" },
    });
    expect(Math.abs(image.createdAt.getTime() - Date.now())).toBeLessThan(60_000);

    const name = uniqueName("renamed");
    const changes = { set: { architecture: "aarch64", more: "y" }, remove: ["odd/name~1", "absent"], name };
    const changed = await updateImageProperties(cloud, image.id, changes, options);
    expect(changed).toMatchObject({ name, properties: { architecture: "aarch64", more: "y" } });
    expect(changed.properties).not.toHaveProperty("odd/name~1");
    expect(await getImage(cloud, image.id, options)).toEqual(changed);
  });

  test("are found by name, tag and status, newest first, over several pages", async () => {
    using cloud = await openFakeCloud("builder");
    const tag = uniqueName("tag");
    const name = uniqueName("many");
    const ids: string[] = [];
    await using _gone = onExit(async (undo) => {
      for (const id of ids) await deleteImage(cloud, id, undo);
    });
    for (let at = 0; at < 103; at += 1) {
      const fresh = { diskFormat: "raw", containerFormat: "bare", minDiskGb: 0, minRamMb: 0 } as const;
      const rest = { visibility: "private", tags: [tag], properties: {} } as const;
      ids.push(
        (await createImage(cloud, { name: at === 0 ? name : uniqueName("x"), ...fresh, ...rest }, options))
          .id,
      );
    }
    const found = await listImages(cloud, { tag }, options);
    expect(found.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    const times = found.map(({ createdAt }) => createdAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(await listImages(cloud, { name, owner: cloud.projectId }, options)).toMatchObject([
      { id: ids[0] },
    ]);
    expect(await listImages(cloud, { tag, status: "active" }, options)).toEqual([]);
    expect(await listImages(cloud, { tag, visibility: "public" }, options)).toEqual([]);
  });

  test("that are not there: getting fails, deleting does not, waiting ends at once", async () => {
    using cloud = await openFakeCloud("builder");
    const image = await createTestImage(cloud);
    await deleteImage(cloud, image.id, options);
    await expect(deleteImage(cloud, image.id, options)).resolves.toBeUndefined();
    expect(isNotFound(await failureOf(getImage(cloud, image.id, options)))).toBe(true);
    await expect(waitForImage(cloud, image.id, options)).rejects.toBeInstanceOf(ImageFailedError);
    expect(isNotFound(await failureOf(downloadImage(cloud, image.id, { signal })))).toBe(true);
  });

  test("of a kind that Glance does not take are refused with its reason", async () => {
    using cloud = await openFakeCloud("builder");
    await expect(createTestImage(cloud, { diskFormat: "bogus" })).rejects.toThrow(
      /^cannot create image test-image-\w+: .*'bogus' is not one of .* \(HTTP 400 from image\)$/,
    );
  });
});
