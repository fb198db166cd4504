/** Builders that an aborted telling of the story left running. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../../src/base/deadline.ts";
import { isMissing, readOptional } from "../../src/base/files.ts";
import { listBuilds, PID_FILE } from "../../src/build/history.ts";
import { processIdentity } from "../../src/build/process-id.ts";
import { stopBuild } from "../../src/build/stop-build.ts";

/** Cancels every running build below the file system root `root` and waits until their processes are gone. */
export async function endLeftBuilders(root: string): Promise<void> {
  const state = join(root, "var/lib/github-runner-image-builder");
  let units: string[];
  try {
    units = await readdir(state);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  for (const unit of units) {
    for (const build of await listBuilds(join(state, unit, "builds"))) {
      if (!(await stopBuild(build))) continue;
      const pid = Number(await readOptional(join(build.folder, PID_FILE)));
      await waitFor(AbortSignal.timeout(120_000), 200, async () =>
        (await processIdentity(pid)) === null ? true : undefined,
      );
    }
  }
}
