/**
 * `npm run pack`: makes charm files, without charmcraft, and verifies them. Prints the path and size of each. Exit
 * code 2 for wrong options, 1 when one cannot be made or does not hold.
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { describe } from "../src/base/errors.ts";
import { charmFiles, placeFiles } from "./pack/files.ts";
import { nodeRuntime } from "./pack/node-runtime.ts";
import { PackOptionsError, readOptions, type PackOptions } from "./pack/options.ts";
import { packCharm, readProject } from "./pack/pack.ts";
import { verifyCharm } from "./verify-charm/verify.ts";

async function pack({ architectures, bases, folder, stage, version }: PackOptions): Promise<void> {
  const shown = version ?? (await readProject()).version;
  for (const architecture of architectures) {
    if (stage !== null) {
      await placeFiles(resolve(stage), await charmFiles(await nodeRuntime(architecture), shown));
      continue;
    }
    for (const base of bases) {
      const path = await packCharm({ base, architecture, folder: resolve(folder), version: shown });
      const problems = await verifyCharm(path);
      if (problems.length > 0) throw new Error(`cannot use ${path}: ${problems.join("; ")}`);
      console.log(`${path}  ${((await stat(path)).size / 1_000_000).toFixed(1)} MB`);
    }
  }
}

try {
  await pack(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(describe(error));
  process.exitCode = error instanceof PackOptionsError ? 2 : 1;
}
