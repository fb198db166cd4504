/**
 * `npm run pack`: makes charm files, without charmcraft. Prints the path and size of each. Exit code 2 for wrong
 * options, 1 when one cannot be made.
 */
import { mkdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe } from "../src/base/errors.ts";
import { charmFiles, DECLARATIONS, placeFiles } from "./pack/files.ts";
import { manifestText } from "./pack/manifest.ts";
import { PackOptionsError, readOptions, type PackOptions } from "./pack/options.ts";
import { packageName } from "./pack/platforms.ts";
import { REPOSITORY } from "./pack/repository.ts";
import { writeZip } from "./pack/zip.ts";

async function pack({ architectures, bases, folder, stage, version }: PackOptions): Promise<void> {
  const project = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
  };
  const declarations = await Promise.all(
    DECLARATIONS.map(async (path) => ({
      path,
      content: await readFile(join(REPOSITORY, path)),
      isExecutable: false,
    })),
  );
  for (const architecture of architectures) {
    const files = await charmFiles(architecture, version ?? project.version);
    if (stage !== null) await placeFiles(resolve(stage), files);
    for (const base of stage === null ? bases : []) {
      const manifest = Buffer.from(manifestText({ base, architecture }));
      const path = join(resolve(folder), packageName(project.name, { base, architecture }));
      await mkdir(resolve(folder), { recursive: true });
      await writeZip(path, [
        ...files,
        ...declarations,
        { path: "manifest.yaml", content: manifest, isExecutable: false },
      ]);
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
