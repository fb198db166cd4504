/** Builds that have ended, as they were read once: their journals are long, and nothing is added to them any more. */
import { join } from "node:path";
import { stampOf } from "../base/files.ts";
import { listBuilds, readBuild, type Build } from "./history.ts";
import { JOURNAL_FILE } from "./journal.ts";

/** Plain data that may be kept as JSON. */
export interface EndedBuild {
  /** The journal that `build` was read from, by {@link stampOf}. */
  readonly stamp: string;
  readonly build: Build;
}

/** The builds below `buildsFolder` that have said how they ended, oldest first. */
export async function readEndedBuilds(buildsFolder: string): Promise<readonly EndedBuild[]> {
  const stamps = new Map<string, string>();
  const builds = await listBuilds(buildsFolder, async (folder) => {
    // before the journal is read: what changes it later gives it another one
    stamps.set(folder, (await stampOf(join(folder, JOURNAL_FILE))) ?? "");
    return await readBuild(folder);
  });
  return builds
    .filter(({ state }) => ENDS.includes(state))
    .map((build) => ({ stamp: stamps.get(build.folder) ?? "", build }));
}

/** As {@link listBuilds}, where a build in `known` is read again only if its journal is another one now. */
export async function listBuildsKnowing(
  known: readonly EndedBuild[],
  buildsFolder: string,
): Promise<readonly Build[]> {
  const byFolder = new Map(known.map((one) => [one.build.folder, one]));
  return await listBuilds(buildsFolder, async (folder) => {
    const one = byFolder.get(folder);
    const isKnown = one !== undefined && one.stamp === (await stampOf(join(folder, JOURNAL_FILE)));
    return isKnown ? one.build : await readBuild(folder);
  });
}

/** States that no process has a part in. */
const ENDS: readonly Build["state"][] = ["done", "failed", "cancelled"];
