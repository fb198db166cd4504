import { mkdtemp, readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publish } from "../../../lab/guest-image/image.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mirror-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function image(name: string, built: string): Promise<{ path: string; sha256: string }> {
  const path = join(folder, name);
  await writeFile(path, name);
  await utimes(path, new Date(built), new Date(built));
  return { path, sha256: name.padEnd(64, "0") };
}

test("lays an image out as Ubuntu's mirror does, without a copy", async () => {
  const first = await image("aa", "2025-03-04T10:00:00Z");
  await publish(folder, "noble", first);
  expect(await readlink(join(folder, "noble/current"))).toBe("20250304");
  const file = join(folder, "noble/current/noble-server-cloudimg-amd64.img");
  expect((await stat(file)).ino).toBe((await stat(first.path)).ino);
  expect(await readFile(join(folder, "noble/current/SHA256SUMS"), "utf8")).toBe(
    `${first.sha256} *noble-server-cloudimg-amd64.img\n`,
  );
});

test("moves `current` to a newer image and keeps the older folder", async () => {
  await publish(folder, "noble", await image("aa", "2025-03-04T10:00:00Z"));
  await publish(folder, "noble", await image("bb", "2025-03-05T10:00:00Z"));
  const text = (serial: string): Promise<string> =>
    readFile(join(folder, "noble", serial, "noble-server-cloudimg-amd64.img"), "utf8");
  expect(await text("current")).toBe("bb");
  expect(await text("20250304")).toBe("aa");
});

test("replaces an image of the same day with its checksum", async () => {
  await publish(folder, "noble", await image("aa", "2025-03-04T10:00:00Z"));
  await publish(folder, "noble", await image("bb", "2025-03-04T12:00:00Z"));
  expect(await readFile(join(folder, "noble/current/SHA256SUMS"), "utf8")).toMatch(/^bb0+ \*noble/);
});
