/**
 * `npm run verify-charm -- FILE...`: looks whether Juju would take charm files, and whether they would run. One line
 * per finding. Exit code 0 when there is none, 1 when there is, 2 when a file cannot be read at all.
 */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { verifyCharm } from "./verify-charm/verify.ts";

async function main(files: readonly string[]): Promise<number> {
  if (files.length === 0) {
    console.error("usage: npm run verify-charm -- FILE.charm...");
    return 2;
  }
  let code = 0;
  for (const file of files) {
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error || !found.isFile()) {
      console.error(`cannot verify ${file}: ${found instanceof Error ? found.message : "it is no file"}`);
      return 2;
    }
    const problems = await verifyCharm(file);
    for (const problem of problems) console.log(`${basename(file)}: ${problem}`);
    if (problems.length === 0)
      console.log(`${basename(file)}: holds, ${(found.size / 1_000_000).toFixed(1)} MB`);
    else code = 1;
  }
  return code;
}

process.exitCode = await main(process.argv.slice(2));
