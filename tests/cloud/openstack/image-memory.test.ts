import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { downloadImage, uploadImage, waitForImage } from "../../../src/openstack/index.ts";
import { createTestImage, openFakeCloud } from "../../support/openstack.ts";

const signal = AbortSignal.timeout(300_000);
const MIB = 1024 * 1024;
const CHUNKS = 1024;

/** Runs `work` and gives how far the process grew meanwhile, in MiB. */
async function growthOf(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return (peak - before) / MIB;
}

test("a gibibyte goes up and comes down in constant memory", async () => {
  using cloud = await openFakeCloud("builder");
  await using image = await createTestImage(cloud);
  const chunk = randomBytes(MIB);
  async function* data(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < CHUNKS; at += 1) yield chunk;
  }
  const up = await growthOf(() => uploadImage(cloud, image.id, data(), { signal }));
  const { hashValue, sizeBytes } = await waitForImage(cloud, image.id, { signal });
  expect(sizeBytes).toBe(CHUNKS * MIB);

  const hash = createHash("sha512");
  const down = await growthOf(async () => {
    for await (const part of await downloadImage(cloud, image.id, { signal })) hash.update(part as Buffer);
  });
  expect(hash.digest("hex")).toBe(hashValue);
  console.log(`resident memory grew by ${up.toFixed(0)} MiB going up, ${down.toFixed(0)} MiB coming down`);
  expect(up).toBeLessThan(150);
  expect(down).toBeLessThan(150);
});
