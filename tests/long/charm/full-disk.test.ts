/** The disk of the unit is full while hooks run: the status says so, nothing is lost, and room heals it. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readPublished } from "../../../src/build/steps/prune.ts";
import { isUnderWay } from "../../../src/charm/due.ts";
import { NOBLE } from "../../support/charm-builds.ts";
import { cloudOf, credentialsOf, deployRelated, type Requirer } from "../../support/charm-requirers.ts";
import type { Deployed } from "../../support/charm.ts";
import { mountSmallDisk, type SmallDisk } from "../../support/small-disk.ts";

const FULL = /^blocked the disk of this machine is full: cannot write \S+; free some space$/;

/** A charm that has published `image-0`, whose files are on a small disk. */
async function openScene(): Promise<
  AsyncDisposable & { readonly charm: Deployed; readonly disk: SmallDisk; readonly requirer: Requirer }
> {
  await using stack = new AsyncDisposableStack();
  const { charm, runner: requirer } = await deployRelated();
  stack.use(charm);
  await endBuild(charm, "image-0");
  await charm.wake();
  const disk = stack.use(await mountSmallDisk(charm.paths.home, 1 << 20));
  const all = stack.move();
  return { charm, disk, requirer, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function endBuild(charm: Deployed, image: string): Promise<void> {
  const ids = { [cloudOf(credentialsOf(charm, "runner-a"))]: image };
  const build = (await charm.builds()).findLast(isUnderWay);
  await charm.builders.end(build, { outcome: "done", images: [{ spec: NOBLE, ids }] });
}

test("an option that would start a build blocks the unit, which builds when there is room again", async () => {
  await using scene = await openScene();
  const { charm, disk, requirer } = scene;
  const before = (await charm.builds()).length;
  disk.fill();
  await charm.configure({ "apt-packages": "jq" });
  expect(charm.status()).toMatch(FULL);
  await charm.updateStatus();
  expect(charm.status()).toMatch(FULL);
  expect(charm.failures()).toEqual([]);
  expect((await charm.builds()).filter(isUnderWay)).toEqual([]);
  expect(requirer.bag()["id"]).toBe("image-0");
  await disk.empty();
  await charm.updateStatus();
  expect(charm.status()).toMatch(/^maintenance building /);
  expect(await charm.builds()).toHaveLength(before + 1);
});

test("an image is not published before it is written down what may not be pruned", async () => {
  await using scene = await openScene();
  const { charm, disk, requirer } = scene;
  await charm.configure({ "apt-packages": "jq" });
  await endBuild(charm, "image-1");
  disk.fill();
  await charm.wake();
  expect(charm.status()).toMatch(FULL);
  expect(requirer.bag()["id"]).toBe("image-0");
  expect(await readPublished(charm.paths.publishedFile)).toEqual(new Set(["image-0"]));
  await disk.empty();
  await charm.updateStatus();
  expect(requirer.bag()["id"]).toBe("image-1");
  expect(await readPublished(charm.paths.publishedFile)).toContain("image-1");
  expect(charm.status()).toMatch(/^active /);
});

test("a password that cannot be written is written when there is room, and the old file is whole until then", async () => {
  await using scene = await openScene();
  const { charm, disk, requirer } = scene;
  const before = await readFile(charm.paths.cloudsFile, "utf8");
  disk.fill();
  await requirer.write({ ...credentialsOf(charm, "runner-a"), password: "another-S3cret" });
  expect(charm.status()).toMatch(FULL);
  expect(await readFile(charm.paths.cloudsFile, "utf8")).toBe(before);
  expect(requirer.bag()["id"]).toBe("image-0");
  await disk.empty();
  await charm.updateStatus();
  expect(await readFile(charm.paths.cloudsFile, "utf8")).toContain("another-S3cret");
  expect(charm.status()).toMatch(/^active /);
});
