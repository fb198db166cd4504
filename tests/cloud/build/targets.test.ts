import { describe, test } from "vitest";
import { useWorkshops } from "../../support/build.ts";
import { randomFile } from "../../support/mirror.ts";
import { fakeCloudAuth } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const REFUSED = "wrong password for user runner-b of domain Default, or no such user";

describe.concurrent("a build", () => {
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
