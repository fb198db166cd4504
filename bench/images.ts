/** Images to be copied, and their copies. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundleProgram } from "../scripts/bundle/bundle.ts";
import { silentLogger } from "../src/base/log.ts";
import {
  createImage,
  deleteImage,
  openCloud,
  uploadImage,
  waitForImage,
  type Cloud,
  type CloudAuth,
} from "../src/openstack/index.ts";
import { REPOSITORY } from "../tests/support/charm.ts";
import type { CopyOrder, CopyReport } from "./copier.ts";

const run = promisify(execFile);
const COPIER = fileURLToPath(new URL("copier.ts", import.meta.url));
const LONGEST_MS = 3_600_000;

/** A mebibyte in bytes. */
export const MIB = 1 << 20;

let bundled: Promise<string> | null = null;

/** The copier as it travels in the charm: from source it would carry the compiler, too. */
async function bundledCopier(): Promise<string> {
  bundled ??= (async () => {
    const folder = join(REPOSITORY, "node_modules/.cache/bench");
    await bundleProgram({ name: "bench", entry: COPIER, isHook: false, apart: [] }, folder);
    return join(folder, "bench/main.mjs");
  })();
  return await bundled;
}

/** An image without data; gives its id. The caller deletes it. */
export async function queueImage(cloud: Cloud, signal: AbortSignal): Promise<string> {
  const { id } = await createImage(
    cloud,
    {
      name: "bench",
      visibility: "private",
      diskFormat: "raw",
      containerFormat: "bare",
      minDiskGb: 0,
      minRamMb: 0,
      tags: [],
      properties: {},
    },
    { signal },
  );
  return id;
}

/** An active image of `mib` MiB that nothing compresses; dispose of it to delete it. */
export async function makeImage(
  auth: CloudAuth,
  mib: number,
): Promise<{ readonly id: string } & AsyncDisposable> {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const cloud = await openCloud("source", auth, { signal, log: silentLogger });
  const id = await queueImage(cloud, signal);
  await uploadImage(cloud, id, Readable.from(noise(mib)), { signal });
  await waitForImage(cloud, id, { signal });
  return {
    id,
    async [Symbol.asyncDispose]() {
      await deleteImage(cloud, id, { signal });
      cloud.close();
    },
  };
}

/** Copies in a process of its own and deletes the copies. */
export async function copy(order: CopyOrder): Promise<CopyReport> {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const words = ["--max-semi-space-size=1", await bundledCopier(), JSON.stringify(order)];
  const { stdout } = await run(process.execPath, words, {
    maxBuffer: 64 * MIB,
    env: { PATH: process.env["PATH"], MALLOC_ARENA_MAX: "1" },
  });
  const report = JSON.parse(stdout) as CopyReport;
  await Promise.all(
    order.targets.map(async (auth, index) => {
      const cloud = await openCloud("target", auth, { signal, log: silentLogger });
      for (const { id } of report.copies.filter((each) => each.cloud === `target-${index}`)) {
        await deleteImage(cloud, id, { signal });
      }
      cloud.close();
    }),
  );
  return report;
}

/** Bytes that nothing compresses away, and that cost little to make. */
function* noise(mib: number): Generator<Buffer> {
  const block = Buffer.alloc(MIB);
  for (let index = 0; index < MIB; index += 4)
    block.writeUInt32LE(Math.imul(index, 2_654_435_761) >>> 0, index);
  for (let index = 0; index < mib; index += 1) {
    block.writeUInt32LE(index, 0);
    yield Buffer.from(block);
  }
}
