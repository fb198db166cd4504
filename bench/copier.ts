/** A process that publishes images as a builder does, so that memory and time are its own; told by a JSON argument. */
import { readFileSync } from "node:fs";
import { silentLogger } from "../src/base/log.ts";
import { ResourceScope } from "../src/base/scope.ts";
import { uploadAll } from "../src/build/steps/upload.ts";
import { getImage, openCloud, type Cloud, type CloudAuth } from "../src/openstack/index.ts";
import { requestWith } from "../tests/support/builds.ts";

/** What to copy where. */
export interface CopyOrder {
  readonly source: CloudAuth;
  /** Image ids; all are copied at once. */
  readonly images: readonly string[];
  readonly targets: readonly CloudAuth[];
}

/** What it took. */
export interface CopyReport {
  readonly ms: number;
  /** Peak of the resident memory (VmHWM). */
  readonly peakMb: number;
  /** Bytes that went to a disk (proc(5), io). */
  readonly writtenBytes: number;
  readonly copies: readonly { readonly cloud: string; readonly id: string }[];
  readonly failures: readonly string[];
  readonly calls: number;
  readonly retries: number;
}

const order = JSON.parse(process.argv[2] ?? "") as CopyOrder;
const signal = AbortSignal.timeout(3_600_000);
let retries = 0;
const log = {
  ...silentLogger,
  warn: () => void (retries += 1),
  child: () => log,
} as unknown as typeof silentLogger;
const open = async (name: string, auth: CloudAuth): Promise<Cloud> =>
  await openCloud(name, auth, { signal, log });
const source = await open("source", order.source);
const targets = await Promise.all(
  order.targets.map(async (auth, index) => await open(`target-${index}`, auth)),
);
const began = performance.now();
const results = await Promise.all(
  order.images.map(async (id) => {
    const image = await getImage(source, id, { signal });
    const context = { image: "noble-x64", log, journal: { add: () => {} }, signal };
    await using scope = new ResourceScope(log);
    return await uploadAll(
      {
        source,
        image,
        keep: () => {},
        targets,
        request: requestWith(),
        spec: { base: "noble", arch: "x64" },
        revision: "bench",
        context,
        scope,
        onProgress: () => {},
      },
      signal,
    );
  }),
);
const ms = performance.now() - began;
const status = readFileSync("/proc/self/status", "utf8");
const io = readFileSync("/proc/self/io", "utf8");
const report: CopyReport = {
  ms,
  peakMb: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024,
  writtenBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1]),
  copies: results.flatMap(({ artifacts }) => artifacts.map(({ cloud, imageId }) => ({ cloud, id: imageId }))),
  failures: results.flatMap(({ failures }) => failures.map(({ error }) => error.message)),
  calls: [source, ...targets].reduce((sum, cloud) => sum + cloud.callCount(), 0),
  retries,
};
for (const cloud of [source, ...targets]) cloud.close();
process.stdout.write(JSON.stringify(report));
