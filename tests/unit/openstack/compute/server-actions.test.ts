import { describe, expect, test } from "vitest";
import { consoleOutput, createServerImage, type Service } from "../../../../src/openstack/index.ts";
import { type Answer, html, json, openStub, reset, startStub } from "../../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const ACTION = "/compute/servers/s1/action";

const image = (changes: object): object => ({
  id: "i1",
  name: "snap",
  status: "queued",
  visibility: "private",
  created_at: "2026-11-23T20:00:00Z",
  instance_uuid: "s1",
  build: "b1",
  ...changes,
});

describe("createServerImage", () => {
  const create = { name: "snap", metadata: { build: "b1" } };

  test.each<[string, Answer]>([
    ["the body", json(202, { image_id: "i1" })],
    ["the Location header", json(202, null, { location: "http://glance:9292/v2/images/i1" })],
  ])("takes the image's id from %s", async (_name, answer) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", ACTION, answer);
    expect(await createServerImage(cloud, "s1", create, { signal })).toBe("i1");
  });

  test("begins with a token that lasts as long as Nova needs it", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", ACTION, json(202, { image_id: "i1" }));
    const asked: (number | undefined)[] = [];
    const authorize: Service["authorize"] = async (within, atLeastMs) => {
      asked.push(atLeastMs);
      return await cloud.compute.authorize(within, atLeastMs);
    };
    const watched = { ...cloud, compute: { ...cloud.compute, authorize } };
    await createServerImage(watched, "s1", create, { signal });
    expect(asked).toEqual([1_800_000]);
  });

  test("refuses a reply that names no image", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", ACTION, json(202, null));
    await expect(createServerImage(cloud, "s1", create, { signal })).rejects.toThrow(
      "cannot create image snap of server s1: the reply names no image",
    );
  });

  test("finds the image whose creation got no reply, and asks only once", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", ACTION, reset);
    const others = [image({ id: "i2", build: "b2" }), image({ id: "i3", instance_uuid: "s2" })];
    stub.answer("GET", "/image/v2/images", json(200, { images: [...others, image({})] }));
    expect(await createServerImage(cloud, "s1", create, { signal })).toBe("i1");
    expect(stub.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
  });
});

test("the console is asked for again after a 502, and may be empty", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("POST", ACTION, html(502, "Bad Gateway"), json(200, { output: null }));
  expect(await consoleOutput(cloud, "s1", 10, { signal })).toBe("");
});
