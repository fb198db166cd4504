import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "vitest";
import { parseSpdx } from "../../../src/build/manifest/spdx.ts";
import { TAG } from "../../../src/build/names.ts";
import type { Cloud } from "../../../src/openstack/index.ts";
import { useWorkshops } from "../../support/build.ts";
import { imagePath, randomFile } from "../../support/mirror.ts";
import { fakeCloudAuth } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const REFUSED = "wrong password for user runner-b of domain Default, or no such user";

const STEPS = [
  ["", "sign in to the build cloud"],
  ["", "sign in to the target clouds"],
  ["", "reap what dead builds left"],
  ["", "choose flavor and network"],
  ["", "prepare the security group"],
  ["", "fetch the inputs"],
  ["noble-x64", "prepare the base image"],
  ["noble-x64", "launch the builder"],
  ["noble-x64", "log in to the builder"],
  ["noble-x64", "run cloud-init"],
  ["noble-x64", "read what is inside"],
  ["noble-x64", "clean the guest"],
  ["noble-x64", "stop the builder"],
  ["noble-x64", "take the snapshot"],
  ["noble-x64", "upload the image"],
];

describe.concurrent("a build", () => {
  test("puts one verified copy of the snapshot into each target and leaves only the base image", async ({
    expect,
  }) => {
    await using workshop = await openWorkshop();
    const { owner, mirror } = workshop;
    const source = mirror.putImage("noble", randomFile(2_500_000));
    const first = await workshop.run({ guest: { refusedLogins: 2 } });

    expect(first.build.errors).toEqual([]);
    expect(first.outcome).toBe("done");
    expect(first.ran).toEqual(["follow", "manifest", "clean"]);
    expect(first.build.steps.map(({ image, step }) => [image, step])).toEqual(STEPS);
    for (const step of first.build.steps) expect(step).toMatchObject({ ms: expect.any(Number), error: null });
    expect(first.build).toMatchObject({ state: "done", targets: ["runner-a", "runner-b"] });
    const hash = source.hash("sha512");
    for (const project of ["runner-a", "runner-b"] as const) {
      const copies = await workshop.images(project);
      expect(copies).toMatchObject([
        {
          name: `${owner.application}-noble-x64`,
          status: "active",
          visibility: "private",
          sizeBytes: source.sizeBytes,
          hashAlgorithm: "sha512",
          hashValue: hash,
          diskFormat: "qcow2",
          properties: {
            architecture: "x86_64",
            [TAG.model]: owner.modelUuid,
            [TAG.application]: owner.application,
            [TAG.unit]: owner.unit,
            [TAG.build]: first.build.id,
            [TAG.role]: "runner",
            [TAG.base]: "noble",
            [TAG.arch]: "x64",
            [TAG.runnerVersion]: "2.333.1",
            [TAG.serial]: "20261120",
            [TAG.sha256]: source.hash("sha256"),
            [TAG.recipe]: expect.stringMatching(/^[0-9a-f]{64}$/),
            [TAG.created]: expect.any(String),
          },
        },
      ]);
      expect(first.build.artifacts).toContainEqual(
        expect.objectContaining({ cloud: project, imageId: copies[0]?.id, hash: `sha512:${hash}` }),
      );
    }
    expect(first.build.artifacts).toHaveLength(2);
    const manifest = await readFile(join(first.build.folder, "manifest-noble-x64.spdx.json"), "utf8");
    expect(parseSpdx(manifest, "manifest")).toContainEqual(
      expect.objectContaining({
        name: "base image",
        version: `20261120 sha256:${source.hash("sha256")}`,
      }),
    );
    expect(await workshop.leftovers()).toEqual([]);
    const [base] = await workshop.images("builder");
    expect(base?.properties).toMatchObject({ [TAG.role]: "base", [TAG.sha256]: source.hash("sha256") });
    console.log("OpenStack calls of a first build with two targets:", first.calls);

    const second = await workshop.run();
    expect(second.outcome).toBe("done");
    expect(mirror.requests(imagePath("noble"))).toBe(1);
    expect(await workshop.images("builder")).toMatchObject([{ id: base?.id }]);
    console.log("OpenStack calls of a second one:", second.calls);

    const renewed = mirror.putImage("noble", randomFile(400_000));
    const third = await workshop.run();
    expect(third.outcome).toBe("done");
    const bases = await workshop.images("builder");
    expect(bases).toMatchObject([{ sizeBytes: renewed.sizeBytes, hashValue: renewed.hash("sha512") }]);
    expect(bases[0]?.id).not.toBe(base?.id);
    expect(third.build.artifacts).toMatchObject([
      { sizeBytes: renewed.sizeBytes },
      { sizeBytes: renewed.sizeBytes },
    ]);
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("serves the good target when another refuses our password, and names the bad one", async ({
    expect,
  }) => {
    await using workshop = await openWorkshop();
    const auth = await fakeCloudAuth("runner-b");
    await workshop.writeClouds(["builder", "runner-a"], { broken: { ...auth, password: "wrong-password" } });
    const { outcome, build, journal, log } = await workshop.run();
    expect(outcome).toBe("failed");
    expect(build.errors).toEqual([
      `noble-x64: no copy in broken: cannot sign in to cloud broken: ${REFUSED}`,
    ]);
    expect(build.artifacts.map(({ cloud }) => cloud)).toEqual(["runner-a"]);
    expect(await workshop.images("runner-a")).toMatchObject([{ status: "active" }]);
    expect(await workshop.leftovers()).toEqual([]);
    expect(`${journal}${log}`).not.toContain("wrong-password");
  });

  test("serves all targets when one cannot be tidied", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const deaf = (cloud: Cloud): Cloud => ({
      ...cloud,
      compute: {
        ...cloud.compute,
        open: (call) => cloud.compute.open({ ...call, url: call.url.replace("/servers", "/nowhere") }),
      },
    });
    const { outcome, build, events } = await workshop.run({
      onCloud: (cloud) => (cloud.name === "runner-a" ? deaf(cloud) : cloud),
    });
    expect(build.errors).toEqual([]);
    expect(outcome).toBe("done");
    expect(build.artifacts).toHaveLength(2);
    expect(events.filter(({ event }) => event === "leftover")).toMatchObject([
      {
        what: "whatever dead builds left in runner-a",
        error: expect.stringContaining("cannot list servers"),
      },
    ]);
  });

  test("begins nothing when no target lets us in", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const auth = await fakeCloudAuth("runner-b");
    await workshop.writeClouds(["builder"], { broken: { ...auth, password: "wrong-password" } });
    const { outcome, build, events } = await workshop.run();
    expect(outcome).toBe("failed");
    expect(build.errors).toEqual([
      `cannot sign in to the target clouds: broken: cannot sign in to cloud broken: ${REFUSED}`,
    ]);
    expect(events.some(({ event }) => event === "created")).toBe(false);
  });

  test("serves a target that joins while cloud-init runs", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const { outcome, build } = await workshop.run({
      guest: {
        duringCloudInit: async () => {
          await workshop.writeClouds(["builder", "runner-a", "runner-b"]);
          return undefined;
        },
      },
    });
    expect(build.errors).toEqual([]);
    expect(outcome).toBe("done");
    expect(build.artifacts.map(({ cloud }) => cloud).toSorted()).toEqual(["runner-a", "runner-b"]);
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("copies the good image when another of its images cannot be built", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const { outcome, build } = await workshop.run({
      request: {
        images: [
          { base: "jammy", arch: "x64" },
          { base: "noble", arch: "x64" },
        ],
      },
    });
    expect(outcome).toBe("failed");
    expect(build.errors).toEqual([
      `jammy-x64: cannot prepare the base image: base-image-mirror: ${workshop.mirror.images}/jammy/current/SHA256SUMS answers HTTP 404`,
    ]);
    expect(build.artifacts).toMatchObject([{ spec: { base: "noble", arch: "x64" }, cloud: "runner-a" }]);
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("builds two bases side by side", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await workshop.writeClouds(["builder", "runner-a"]);
    const jammy = workshop.mirror.putImage("jammy", randomFile(64 * 1024));
    const { outcome, build } = await workshop.run({
      request: {
        images: [
          { base: "jammy", arch: "x64" },
          { base: "noble", arch: "x64" },
        ],
      },
    });
    expect(build.errors).toEqual([]);
    expect(outcome).toBe("done");
    const copies = await workshop.images("runner-a");
    expect(copies.map(({ name }) => name).toSorted()).toEqual(
      ["jammy", "noble"].map((base) => `${workshop.owner.application}-${base}-x64`),
    );
    expect(copies.find(({ name }) => name.includes("jammy"))?.hashValue).toBe(jammy.hash("sha512"));
    expect(await workshop.leftovers()).toEqual([]);
  });
});
