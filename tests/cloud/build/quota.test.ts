import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { openCloud, type Cloud } from "../../../src/openstack/index.ts";
import { request } from "../../../src/openstack/request.ts";
import { useWorkshops } from "../../support/build.ts";
import { randomFile } from "../../support/mirror.ts";
import { fakeCloudAuth, openFakeCloud } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const signal = AbortSignal.timeout(280_000);
const TWO_BASES = [
  { base: "noble", arch: "x64" },
  { base: "jammy", arch: "x64" },
] as const;

let admin: Cloud;
let path: string;

beforeEach(async () => {
  const auth = { ...(await fakeCloudAuth("builder")), username: "admin", password: "adminpass" };
  admin = await openCloud("admin", { ...auth, projectName: "admin" }, { signal, log: silentLogger });
  using builder = await openFakeCloud("builder");
  path = `/os-quota-sets/${builder.projectId}`;
});

afterEach(async () => {
  await request(admin.compute, { method: "DELETE", path, what: "restore the quota", signal });
  admin.close();
});

/** Sets the build project's quota in Nova, until the test ends. */
async function setQuota(quota: Readonly<Record<string, number>>): Promise<void> {
  const body = { quota_set: { ...quota, force: true } };
  await request(admin.compute, { method: "PUT", path, body, what: "set the quota", signal });
}

test("images are built one after the other when the quota has room for one builder", async () => {
  await using workshop = await openWorkshop();
  await workshop.writeClouds(["builder", "runner-a"]);
  workshop.mirror.putImage("jammy", randomFile(64 * 1024));
  await setQuota({ instances: 1 });
  const { outcome, build, log } = await workshop.run({ request: { images: TWO_BASES, parallelImages: 2 } });
  expect(build.errors).toEqual([]);
  expect(outcome).toBe("done");
  const images = build.steps.map(({ image }) => image).filter((image) => image !== "");
  // no step of the second before the last of the first
  expect(new Set(images.slice(0, images.lastIndexOf("noble-x64") + 1))).toEqual(new Set(["noble-x64"]));
  expect(images.at(-1)).toBe("jammy-x64");
  expect(log).toContain("the quota has room for fewer builders at a time than wanted");
  expect(await workshop.leftovers()).toEqual([]);
});

test("images are built side by side when there is room, and no more than the option says", async () => {
  await using workshop = await openWorkshop();
  await workshop.writeClouds(["builder", "runner-a"]);
  workshop.mirror.putImage("jammy", randomFile(64 * 1024));
  await setQuota({ instances: 2 });
  const orders: string[][] = [];
  for (const parallelImages of [2, 1]) {
    const { build } = await workshop.run({ request: { images: TWO_BASES, parallelImages } });
    expect(build.errors).toEqual([]);
    orders.push(build.steps.map(({ image }) => image).filter((image) => image !== ""));
  }
  expect(orders.map((images) => images.lastIndexOf("noble-x64") < images.indexOf("jammy-x64"))).toEqual([
    false,
    true,
  ]);
});

test("a quota that is too short for one builder is said before anything is made", async () => {
  await using workshop = await openWorkshop();
  await setQuota({ cores: 1, key_pairs: 0 });
  const { outcome, build, events } = await workshop.run();
  expect(outcome).toBe("failed");
  expect(build.errors).toEqual([
    'cannot choose flavor and network: the quota of the build project has no room for a builder of flavor "lab.medium": ' +
      "0 of 1 cores are used and a builder needs 2; 0 of 0 key pairs are used and a builder needs 1; " +
      "free some or raise the quota",
  ]);
  expect(events.filter(({ event }) => event === "created")).toEqual([]);
  expect(await workshop.leftovers()).toEqual([]);
});
