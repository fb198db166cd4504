/** Twenty images to ten clouds at once, in one process. */
import { Readable } from "node:stream";
import { silentLogger } from "../src/base/log.ts";
import { deleteImage, openCloud, uploadImage, waitForImage, type CloudAuth } from "../src/openstack/index.ts";
import { copy, queueImage } from "./images.ts";
import { makeProjects } from "./projects.ts";

const IMAGES = 20;
const CLOUDS = 10;
const BYTES = 4 << 20;
const LIMITS = { peakMb: 250 } as const;
/** A copy: its image is made, looked at, filled, awaited and named; three more are for what is read of the source. */
const CALLS_PER_COPY = 8;

/** Prints the figures; true when all are within the limits. */
export async function benchScale(): Promise<boolean> {
  const signal = AbortSignal.timeout(1_800_000);
  await using cleanup = new AsyncDisposableStack();
  const { auths } = cleanup.use(await makeProjects(CLOUDS + 1));
  const [source, ...targets] = auths as readonly [CloudAuth, ...CloudAuth[]];
  const cloud = await openCloud("source", source, { signal, log: silentLogger });
  cleanup.defer(() => cloud.close());
  const images: string[] = [];
  for (let index = 0; index < IMAGES; index += 1) {
    const id = await queueImage(cloud, signal);
    cleanup.defer(async () => await deleteImage(cloud, id, { signal }));
    await uploadImage(cloud, id, Readable.from([Buffer.alloc(BYTES, index)]), { signal });
    await waitForImage(cloud, id, { signal });
    images.push(id);
  }
  const { ms, peakMb, copies, failures, calls, retries } = await copy({ source, images, targets });
  console.log(
    `${IMAGES} images x ${CLOUDS} clouds: ${copies.length} copies in ${(ms / 1000).toFixed(1)} s, ` +
      `peak ${peakMb.toFixed(0)} MB, ${calls} calls, ${retries} tried again, ${failures.length} failed`,
  );
  const problems = [...failures];
  if (copies.length !== IMAGES * CLOUDS) problems.push(`${copies.length} copies of ${IMAGES * CLOUDS}`);
  if (retries > 0) problems.push(`${retries} calls failed and were tried again`);
  if (!(peakMb <= LIMITS.peakMb)) problems.push(`${peakMb.toFixed(0)} MB, the limit is ${LIMITS.peakMb}`);
  if (calls > copies.length * CALLS_PER_COPY) problems.push(`${calls} calls for ${copies.length} copies`);
  for (const problem of problems) console.log(`TOO MUCH: ${problem}`);
  return problems.length === 0;
}
