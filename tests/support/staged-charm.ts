/**
 * The charm that the tests deploy: bundled as it is packed, once for each run of vitest (its `globalSetup`). What
 * ships is what is tested, and its hooks take half the time of those of a checkout, which runs its sources.
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { stageCharm } from "../../scripts/bundle/stage.ts";

/** Node's compile cache, which all deployments share: a cold dispatch takes three times as long. */
export const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/charm-tests", import.meta.url));
/** The charm's folder, there once {@link setup} has run; the same each time for the sake of the compile cache. */
export const CHARM = `${COMPILE_CACHE}/charm`;

/** Makes {@link CHARM} from the sources as they are now. Throws esbuild's error when they cannot be bundled. */
export async function setup(): Promise<void> {
  const fresh = `${CHARM}-${process.pid}`;
  await mkdir(COMPILE_CACHE, { recursive: true });
  await stageCharm(fresh, process.execPath);
  await rm(CHARM, { recursive: true, force: true });
  await rename(fresh, CHARM);
}
