/** A charm's folder for tests: much as it is packed (`scripts/pack`), and faster made. */
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle, type BundledFile } from "./bundle.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Makes `folder` a charm that needs nothing of this repository but `node`, a Node.js binary that it links:
 * declarations, `dispatch` and the bundles, of which it gives the files.
 */
export async function stageCharm(folder: string, node: string): Promise<readonly BundledFile[]> {
  await mkdir(join(folder, "node/bin"), { recursive: true });
  for (const file of ["metadata.yaml", "config.yaml", "actions.yaml", "dispatch"]) {
    await copyFile(join(REPOSITORY, file), join(folder, file));
  }
  await symlink(node, join(folder, "node/bin/node"));
  return await bundle(join(folder, "dist"));
}
