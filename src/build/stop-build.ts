/** Ending a build from outside its process. */
import { join } from "node:path";
import { readOptional } from "../base/files.ts";
import { PID_FILE, type Build } from "./history.ts";
import { processIdentity } from "./process-id.ts";

/**
 * Asks the process of a build that runs or is about to run to cancel (SIGTERM); it deletes what it made in the
 * cloud and ends by itself. False when there is no such process.
 */
export async function stopBuild(build: Build): Promise<boolean> {
  if (build.state !== "running" && build.state !== "queued") return false;
  const pid = Number(await readOptional(join(build.folder, PID_FILE)));
  if (!Number.isInteger(pid) || pid <= 1 || (await processIdentity(pid)) === null) return false;
  process.kill(pid, "SIGTERM");
  return true;
}
