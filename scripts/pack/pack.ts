/** From this repository to charm files. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { charmFiles, declarationFiles } from "./files.ts";
import { nodeRuntime, type NodeRuntime } from "./node-runtime.ts";
import { packageName, type Platform } from "./platforms.ts";
import { REPOSITORY } from "./repository.ts";
import { writeZip } from "./zip.ts";

/** What a charm file is made for and of. */
export interface Package extends Platform {
  /** Where the file goes; the folder is made. */
  readonly folder: string;
  /** What `juju status` shows; package.json's without it. */
  readonly version?: string;
  /** The Node.js in it; the one that package-lock.json pins without it. */
  readonly node?: NodeRuntime;
}

/** Makes one charm file and gives its path. A file that is there is replaced. */
export async function packCharm({ folder, version, node, ...platform }: Package): Promise<string> {
  const project = await readProject();
  const files = await charmFiles(
    node ?? (await nodeRuntime(platform.architecture)),
    version ?? project.version,
  );
  await mkdir(folder, { recursive: true });
  const path = join(folder, packageName(project.name, platform));
  await writeZip(path, [...files, ...(await declarationFiles(platform))]);
  return path;
}

/** The charm's name and version, from package.json. */
export async function readProject(): Promise<{ readonly name: string; readonly version: string }> {
  return JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
  };
}
