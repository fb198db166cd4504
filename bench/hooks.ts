/** How long hooks take while four builds stream images: the whole dispatch of the packed charm, each event by itself. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { stageCharm } from "../scripts/bundle/stage.ts";
import type { CloudAuth } from "../src/openstack/index.ts";
import { NOBLE } from "../tests/support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../tests/support/charm-requirers.ts";
import { deployBuilder } from "../tests/support/charm.ts";
import { makeProjects } from "./projects.ts";
import { copy, makeImage } from "./images.ts";

const BUILDS = 4;
const ROUNDS = 5;
const LIMIT_MS = 2000;
const EVENTS = [
  "hooks/config-changed",
  "hooks/update-status",
  "hooks/upgrade-charm",
  "hooks/start",
  "build-changed",
  "run",
] as const;

/** Prints the longest dispatch of each event; true when none takes longer than two seconds. */
export async function benchHooks(): Promise<boolean> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  cleanup.defer(async () => await rm(folder, { recursive: true, force: true }));
  const packed = join(folder, "charm");
  await stageCharm(packed, await realpath(process.execPath));
  const projects = cleanup.use(await makeProjects(3));
  const [source, ...targets] = projects.auths as readonly [CloudAuth, ...CloudAuth[]];
  const image = cleanup.use(await makeImage(source, 1024));
  const charm = cleanup.use(await deployBuilder({ charm: packed }));
  await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
  const credentials = credentialsOf(charm, "runner-a");
  await relate(charm, "runner-a", credentials);
  const images = [{ spec: NOBLE, ids: { [cloudOf(credentials)]: "image" } }];
  await charm.builders.end((await charm.builds()).at(-1), { outcome: "done", images });
  await charm.wake();

  let streaming = BUILDS;
  const load = Array.from({ length: BUILDS }, async () => {
    const { failures } = await copy({ source, images: [image.id], targets });
    streaming -= 1;
    if (failures.length > 0) throw new Error(failures.join("; "));
  });
  const longest = new Map<string, number>();
  let measured = 0;
  for (let round = 0; round < ROUNDS && streaming === BUILDS; round += 1) {
    for (const event of EVENTS) {
      const began = performance.now();
      const exit = await charm.fire(event);
      if (exit !== 0) throw new Error(`${event} failed with ${exit}`);
      longest.set(event, Math.max(longest.get(event) ?? 0, performance.now() - began));
      measured += 1;
    }
  }
  const [load1 = 0] = loadavg();
  await Promise.all(load);
  console.log(
    `${measured} dispatches while ${BUILDS} builds stream 1 GiB to two clouds each; load ${load1.toFixed(1)}`,
  );
  for (const [event, ms] of longest)
    console.log(`${event.padEnd(22)} ${(ms / 1000).toFixed(2)} s at the longest`);
  const worst = Math.max(...longest.values());
  const isFine = worst <= LIMIT_MS && measured >= EVENTS.length;
  console.log(
    isFine
      ? "within the limit"
      : `TOO MUCH: ${(worst / 1000).toFixed(2)} s, the limit is ${LIMIT_MS / 1000} s`,
  );
  return isFine;
}
