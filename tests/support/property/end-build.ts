/** Builders come to their end, as the test says. */
import { readFile } from "node:fs/promises";
import { pathsOf } from "../../../src/build/paths.ts";
import { readPublished } from "../../../src/build/steps/prune.ts";
import { BUILD_CLOUD } from "../../../src/charm/facts.ts";
import { parseCloudsYaml } from "../../../src/openstack/index.ts";
import type { Ending } from "../charm-builds.ts";
import type { BuildEnd } from "./steps.ts";
import type { PlacedBuild, World } from "./world.ts";

/** Ends `build` as a builder does, wakes its charm if `wakes`, and prunes where that was confirmed. */
export async function endBuild(
  world: World,
  build: PlacedBuild,
  how: BuildEnd,
  wakes: boolean,
): Promise<void> {
  const { charm, store } = world;
  const { unit } = build;
  const paths = pathsOf(charm.root, unit);
  const all = build.request.kind === "initialise" ? [] : await targetsOf(paths.cloudsFile);
  const brought = how === "done" ? all : how === "half" ? all.slice(0, Math.floor(all.length / 2)) : [];
  await charm.builders.end(build, {
    outcome: outcomeOf(how),
    ...(how === "done" || how === "half" ? { targets: all } : {}),
    images: store.upload(build, unit, brought),
  });
  if (!wakes || how === "killed" || (await charm.wake(unit)) !== 0) return;
  const published = await readPublished(paths.publishedFile);
  if (how === "done" && published !== null) store.prune(build, all, published, 2);
}

function outcomeOf(how: BuildEnd): Ending["outcome"] {
  return how === "done" || how === "killed"
    ? how
    : { failed: "cannot build noble-x64: as the test wants it" };
}

async function targetsOf(cloudsFile: string): Promise<readonly string[]> {
  const clouds = parseCloudsYaml(await readFile(cloudsFile, "utf8"), cloudsFile);
  return [...clouds.keys()].filter((name) => name !== BUILD_CLOUD);
}
