/** Publishing one image to four projects of a real Glance, against what a shell script would do with curl. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLogger } from "../src/base/log.ts";
import { deleteImage, openCloud, type CloudAuth } from "../src/openstack/index.ts";
import { copy, makeImage, MIB, queueImage } from "./images.ts";
import { makeProjects } from "./projects.ts";

const run = promisify(execFile);
const TARGETS = 4;
/** Of the measured ratio and of memory; `flat`: the largest image may take so much more memory than the smallest. */
const LIMITS = { ratio: 0.5, peakMb: 150, flatMb: 25 } as const;
const signal = AbortSignal.timeout(3_600_000);

/** Prints the figures; true when all are within the limits. The size of 4 GiB is left out where the disk is too small. */
export async function benchPublish(): Promise<boolean> {
  await using cleanup = new AsyncDisposableStack();
  const projects = cleanup.use(await makeProjects(TARGETS + 1));
  const [source, ...targets] = projects.auths as readonly [CloudAuth, ...CloudAuth[]];
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  cleanup.defer(async () => await rm(folder, { recursive: true, force: true }));
  const problems: string[] = [];

  const big = await sourceImage(source, 1024);
  const copied = await copy({ source, images: [big], targets });
  const baseline = await withCurl(big, source, targets, folder);
  const ratio = copied.ms / baseline;
  console.log(
    `1 GiB to ${TARGETS} projects: ${seconds(copied.ms)}; with curl one after the other: ${seconds(baseline)}`,
  );
  console.log(`ratio ${ratio.toFixed(2)}, the limit is ${LIMITS.ratio}`);
  if (!(ratio <= LIMITS.ratio)) problems.push(`ratio ${ratio.toFixed(2)}`);

  const peaks = new Map([[1024, copied]]);
  const { bavail, bsize } = await statfs("/var/lib");
  for (const mib of [256, 4096]) {
    if (bavail * bsize < mib * MIB * (TARGETS + 3)) {
      problems.push(`no room on the disk to measure ${mib} MiB`);
      continue;
    }
    const image = await sourceImage(source, mib);
    peaks.set(mib, await copy({ source, images: [image], targets }));
  }
  for (const [mib, { peakMb, writtenBytes, failures, ms }] of [...peaks].toSorted(([a], [b]) => a - b)) {
    console.log(
      `${mib} MiB: peak ${peakMb.toFixed(0)} MB, ${seconds(ms)}, ${writtenBytes} bytes written to disk`,
    );
    if (!(peakMb <= LIMITS.peakMb)) problems.push(`${peakMb.toFixed(0)} MB for ${mib} MiB`);
    if (writtenBytes > 0) problems.push(`${writtenBytes} bytes on disk for ${mib} MiB`);
    problems.push(...failures);
  }
  const [least, most] = [256, 4096].map((mib) => peaks.get(mib)?.peakMb ?? Number.NaN) as [number, number];
  if (!(most - least <= LIMITS.flatMb))
    problems.push(`${(most - least).toFixed(0)} MB more for 4 GiB than for 256 MiB`);
  for (const problem of problems) console.log(`TOO MUCH: ${problem}`);
  return problems.length === 0;

  async function sourceImage(auth: CloudAuth, mib: number): Promise<string> {
    return cleanup.use(await makeImage(auth, mib)).id;
  }
}

/** What a shell script does: download to a file, hash it, upload it to each; milliseconds of all of it. */
async function withCurl(
  image: string,
  source: CloudAuth,
  targets: readonly CloudAuth[],
  folder: string,
): Promise<number> {
  const places = await Promise.all(
    [source, ...targets].map(async (auth) => await openCloud("curl", auth, { signal, log: silentLogger })),
  );
  const url = places[0]?.image.url ?? "";
  const tokens = await Promise.all([source, ...targets].map(tokenOf));
  const file = join(folder, "image");
  const began = performance.now();
  await curl(tokens[0] ?? "", "--output", file, `${url}/images/${image}/file`);
  await run("sha512sum", [file]);
  const made: string[] = [];
  for (const [index, place] of places.entries()) {
    if (index === 0) continue;
    const id = await queueImage(place, signal);
    made[index] = id;
    const type = "Content-Type: application/octet-stream";
    await curl(tokens[index] ?? "", "--header", type, "--upload-file", file, `${url}/images/${id}/file`);
  }
  const ms = performance.now() - began;
  for (const [index, place] of places.entries()) {
    if (index > 0) await deleteImage(place, made[index] ?? "", { signal });
    place.close();
  }
  return ms;
}

async function curl(token: string, ...words: readonly string[]): Promise<void> {
  const common = ["--silent", "--show-error", "--fail", "--header", `X-Auth-Token: ${token}`];
  await run("curl", [...common, ...words]);
}

async function tokenOf({ authUrl, projectName, username, password }: CloudAuth): Promise<string> {
  const user = { name: username, password, domain: { id: "default" } };
  const scope = { project: { name: projectName, domain: { id: "default" } } };
  const reply = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } }, scope } }),
  });
  return reply.headers.get("x-subject-token") ?? "";
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
