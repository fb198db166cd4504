import { join } from "node:path";
import { describe, test } from "vitest";
import { ARCH_NAMES } from "../../../src/build/base-images.ts";
import { REQUEST_FILE } from "../../../src/build/history.ts";
import { baseImageName, ownerTags, TAG } from "../../../src/build/names.ts";
import { createImage, uploadImage, type Cloud, type Service } from "../../../src/openstack/index.ts";
import { useWorkshops } from "../../support/build.ts";
import { startCli } from "../../support/cli.ts";
import { imagePath, randomFile } from "../../support/mirror.ts";

const openWorkshop = useWorkshops();
const call = { signal: AbortSignal.timeout(280_000) };
const INITIALISE = { kind: "initialise" } as const;

/** `cloud`, whose first upload ends when it has begun. */
function breakFirstUpload(cloud: Cloud): Cloud {
  let uploads = 0;
  const open: Service["open"] = (outgoing) => {
    const request = cloud.image.open(outgoing);
    if (outgoing.method === "PUT" && (uploads += 1) === 1) {
      request.once("socket", (socket: { destroy: () => void }) => setImmediate(() => socket.destroy()));
    }
    return request;
  };
  return { ...cloud, image: { ...cloud.image, open } };
}

describe.concurrent("a base image", () => {
  test("is brought once when two builds of a machine want it at the same time", async ({ expect }) => {
    await using workshop = await openWorkshop();
    workshop.mirror.putImage("noble", randomFile(4 << 20));
    const requests = [
      await workshop.newRequest({ request: INITIALISE }),
      await workshop.newRequest({ request: INITIALISE }),
    ];
    const files = requests.map(({ id }) => join(workshop.folder, "builds", id, REQUEST_FILE));
    const ended = await Promise.all(
      files.map(async (file) => {
        await using cli = startCli(file);
        return await cli.ended;
      }),
    );
    expect(ended.map(({ code, output }) => (code === 0 ? "" : output))).toEqual(["", ""]);
    expect(workshop.mirror.requests(imagePath("noble"))).toBe(1);
    expect(await workshop.images("builder")).toHaveLength(1);
  });

  test("is uploaded again when an upload breaks off, and the half of one is deleted", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const { outcome, build, events } = await workshop.run({
      request: INITIALISE,
      onCloud: (cloud) => (cloud.name === "builder" ? breakFirstUpload(cloud) : cloud),
    });
    expect(build.errors).toEqual([]);
    expect(outcome).toBe("done");
    const created = events.flatMap((event) => (event.event === "created" ? [event.id] : []));
    expect(created).toHaveLength(2);
    expect(await workshop.images("builder")).toMatchObject([{ id: created[1], status: "active" }]);
    expect(workshop.mirror.requests(imagePath("noble"))).toBe(1);
  });

  test("that another unit is uploading is waited for, and used", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const { owner, clouds, mirror } = workshop;
    const file = mirror.putImage("noble", randomFile(100_000));
    const spec = { base: "noble", arch: "x64" } as const;
    const other = { ...owner, unit: `${owner.application}/1` };
    const theirs = await createImage(
      clouds.builder,
      {
        name: baseImageName(owner, spec),
        diskFormat: "qcow2",
        containerFormat: "bare",
        minDiskGb: 0,
        minRamMb: 0,
        visibility: "private",
        tags: [],
        properties: {
          ...ownerTags(other, "their-build", "base"),
          [TAG.sha256]: file.hash("sha256"),
          architecture: ARCH_NAMES.x64.glance,
        },
      },
      call,
    );
    const wanted = Promise.withResolvers<void>();
    const building = workshop.run({
      request: { ...INITIALISE, otherUnits: [other.unit] },
      onEvent: (event) => {
        if (event.event === "step-started" && event.step === "prepare the base image") wanted.resolve();
      },
    });
    await wanted.promise;
    await uploadImage(clouds.builder, theirs.id, file.data() as unknown as AsyncIterable<Uint8Array>, {
      sizeBytes: file.sizeBytes,
      ...call,
    });
    const { outcome, events } = await building;
    expect(outcome).toBe("done");
    expect(events.filter(({ event }) => event === "created")).toEqual([]);
    expect(await workshop.images("builder")).toMatchObject([{ id: theirs.id }]);
    expect(mirror.requests(imagePath("noble"))).toBe(0);
  });
});
