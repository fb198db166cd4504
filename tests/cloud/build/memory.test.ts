import { expect, test } from "vitest";
import { useWorkshops } from "../../support/build.ts";
import { randomFile } from "../../support/mirror.ts";

const openWorkshop = useWorkshops();
const MIB = 1 << 20;

test("an image of 512 MiB goes through a build in constant memory", async () => {
  await using workshop = await openWorkshop();
  const { hash, sizeBytes } = workshop.mirror.putImage("noble", randomFile(512 * MIB));
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const { outcome, build } = await workshop.run().finally(() => clearInterval(timer));
  expect(build.errors).toEqual([]);
  expect(outcome).toBe("done");
  expect(build.artifacts).toHaveLength(2);
  const expected = { sizeBytes, hash: `sha512:${hash("sha512")}` };
  expect(build.artifacts).toMatchObject([expected, expected]);
  const growth = (peak - before) / MIB;
  const slowest = build.steps.map(({ step, ms }) => `${step} ${((ms ?? 0) / 1000).toFixed(1)} s`);
  console.log(`resident memory grew by ${growth.toFixed(0)} MiB`, slowest);
  expect(growth).toBeLessThan(200);
});
