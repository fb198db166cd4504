import { describe, expect, test } from "vitest";
import {
  createImage,
  getImage,
  ImageFailedError,
  type NewImage,
  updateImageProperties,
  waitForImage,
} from "../../../../src/openstack/index.ts";
import { bodyOf, html, json, openStub, startStub } from "../../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const options = { signal, everyMs: 5 };
const IMAGE = "/image/v2/images/i1";

const image = (changes: object = {}): object => ({
  id: "i1",
  name: "x",
  status: "queued",
  visibility: "private",
  tags: ["t1"],
  created_at: "2026-11-23T20:00:00Z",
  build: "b1",
  ...changes,
});

const fresh: NewImage = {
  name: "x",
  diskFormat: "raw",
  containerFormat: "bare",
  minDiskGb: 0,
  minRamMb: 0,
  visibility: "private",
  tags: ["t1"],
  properties: { build: "b1" },
};

test("an image is read into exact fields, with Glance's own kept apart from properties", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  const own = {
    self: "/v2/images/i1",
    file: "/v2/images/i1/file",
    schema: "/s",
    checksum: "c",
    os_hidden: false,
  };
  const more = { updated_at: "2026-11-23T20:00:01Z", size: 5, os_hash_algo: "sha512", os_hash_value: "ab" };
  stub.answer(
    "GET",
    IMAGE,
    json(200, image({ ...own, ...more, min_disk: 3, protected: true, odd: { no: "text" } })),
  );
  expect(await getImage(cloud, "i1", options)).toEqual({
    id: "i1",
    name: "x",
    status: "queued",
    sizeBytes: 5,
    virtualSizeBytes: null,
    hashAlgorithm: "sha512",
    hashValue: "ab",
    diskFormat: null,
    containerFormat: null,
    minDiskGb: 3,
    minRamMb: 0,
    visibility: "private",
    owner: null,
    isProtected: true,
    tags: ["t1"],
    createdAt: new Date("2026-11-23T20:00:00Z"),
    properties: { build: "b1" },
  });
});

test("an image whose creation got no reply is found by its properties and tags", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("POST", "/image/v2/images", html(504, "Gateway Time-out"));
  const others = [image({ id: "i2", build: "b2" }), image({ id: "i3", tags: [] })];
  stub.answer("GET", "/image/v2/images", json(200, { images: [...others, image()] }));
  expect(await createImage(cloud, fresh, options)).toMatchObject({ id: "i1" });
  expect(stub.seen.map(({ method }) => method)).toEqual(["POST", "GET"]);
});

test("changing properties sends Glance's own kind of patch", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  const bodies: unknown[] = [];
  stub.answer("GET", IMAGE, json(200, image({ old: "1" })));
  stub.answer("PATCH", IMAGE, async (request, response) => {
    bodies.push(request.headers["content-type"], JSON.parse(await bodyOf(request)));
    await json(200, image())(request, response);
  });
  const changes = { set: { "a/b~c": "1" }, remove: ["old", "absent"], name: "y" };
  await updateImageProperties(cloud, "i1", changes, options);
  expect(bodies).toEqual([
    "application/openstack-images-v2.1-json-patch",
    [
      { op: "add", path: "/a~1b~0c", value: "1" },
      { op: "remove", path: "/old" },
      { op: "replace", path: "/name", value: "y" },
    ],
  ]);
});

describe("waiting for an image", () => {
  test("goes on while data is on its way", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const states = ["queued", "saving", "active"].map((status) => json(200, image({ status })));
    stub.answer("GET", IMAGE, ...states);
    expect(await waitForImage(cloud, "i1", options)).toMatchObject({ status: "active" });
    expect(stub.seen).toHaveLength(3);
  });

  test.each(["killed", "deleted", "pending_delete", "deactivated"])(
    "ends at once when it is %s",
    async (status) => {
      await using stub = await startStub();
      using cloud = await openStub(stub);
      stub.answer("GET", IMAGE, json(200, image({ status })));
      const error: unknown = await waitForImage(cloud, "i1", options).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ImageFailedError);
      expect(error).toMatchObject({
        message: `image i1 did not become active: it is ${status}`,
        imageId: "i1",
      });
    },
  );
});
