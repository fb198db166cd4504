/** What package-lock.json says of a package. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { REPOSITORY } from "./repository.ts";

/** A package as the lock file pins it. */
export interface LockedPackage {
  /** The name in the registry, also where a dependency has another one here. */
  readonly name: string;
  readonly version: string;
  /** `sha512-<base64>` of its tarball. */
  readonly integrity: string;
  /** As its package.json says it, an SPDX expression; packages of before SPDX have none. */
  readonly licence: string | undefined;
}

interface Entry {
  readonly name?: string;
  readonly version: string;
  readonly integrity: string;
  readonly license?: string;
}

/** Gives what is locked under `node_modules/<folder>`; the result throws for a folder that is not in the lock file. */
export async function readLock(): Promise<(folder: string) => LockedPackage> {
  const text = await readFile(join(REPOSITORY, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as { packages: Readonly<Record<string, Entry>> };
  return (folder) => {
    const entry = packages[`node_modules/${folder}`];
    if (entry === undefined) throw new Error(`cannot find ${folder} in package-lock.json: run npm install`);
    const { name = folder, version, integrity, license } = entry;
    return { name, version, integrity, licence: license };
  };
}
