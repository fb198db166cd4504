import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { TAG } from "../../../../src/build/names.ts";
import { copyProperties, digestsOf } from "../../../../src/build/steps/copy.ts";
import { requestWith } from "../../../support/builds.ts";
import { imageWith } from "../../../support/images.ts";

const DATA = Buffer.from("the bytes of a disk");
const signal = AbortSignal.timeout(10_000);

function source(): {
  opened: number;
  mayResume: () => boolean;
  openAt: () => Promise<AsyncIterable<Uint8Array>>;
} {
  const counted = {
    opened: 0,
    mayResume: () => false,
    openAt: async () => {
      counted.opened += 1;
      return (async function* () {
        yield DATA.subarray(0, 5);
        yield DATA.subarray(5);
      })();
    },
  };
  return counted;
}

describe("the digest that a copy must have", () => {
  test("is the one that the source's Glance has computed", async () => {
    const from = source();
    const image = imageWith({ hashAlgorithm: "sha512", hashValue: "known" });
    expect(await digestsOf(image, from, signal)("sha512")).toBe("known");
    expect(from.opened).toBe(0);
  });

  test("by another algorithm is read from the source, once for all clouds that have it", async () => {
    const from = source();
    const digests = digestsOf(imageWith(), from, signal);
    const expected = createHash("sha256").update(DATA).digest("hex");
    expect(await Promise.all([digests("sha256"), digests("sha256")])).toEqual([expected, expected]);
    expect(from.opened).toBe(1);
  });

  test("is read from the source where its Glance has none", async () => {
    const image = imageWith({ hashAlgorithm: null, hashValue: null });
    expect(await digestsOf(image, source(), signal)("sha512")).toBe(
      createHash("sha512").update(DATA).digest("hex"),
    );
  });
});

test("a copy carries what describes the disk and its content, and nothing of the source's own history", () => {
  const image = imageWith({
    properties: {
      hw_disk_bus: "virtio",
      os_distro: "ubuntu",
      base_image_ref: "x",
      user_id: "u",
      [TAG.recipe]: "r1",
      [TAG.serial]: "20261120",
      [TAG.created]: "2026-11-23T00:00:00.000Z",
      [TAG.build]: "older",
      [TAG.role]: "snapshot",
    },
  });
  const request = requestWith({ id: "this-build" });
  const spec = { base: "noble", arch: "arm64" } as const;
  expect(copyProperties({ image, request, spec, revision: "older" }, "upload")).toEqual({
    hw_disk_bus: "virtio",
    os_distro: "ubuntu",
    architecture: "aarch64",
    [TAG.model]: request.owner.modelUuid,
    [TAG.application]: "builder",
    [TAG.unit]: "builder/0",
    [TAG.build]: "this-build",
    [TAG.role]: "upload",
    [TAG.base]: "noble",
    [TAG.arch]: "arm64",
    [TAG.recipe]: "r1",
    [TAG.serial]: "20261120",
    [TAG.created]: "2026-11-23T00:00:00.000Z",
    [TAG.revision]: "older",
  });
});
