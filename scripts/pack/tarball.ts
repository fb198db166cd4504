/** Packages as npm's registry has them. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LockedPackage } from "./lock.ts";
import { REPOSITORY } from "./repository.ts";

/** Has npm fetch a package's tarball into `folder`, and gives its path. Throws when it has not the locked hash. */
export async function fetchTarball(
  { name, version, integrity }: LockedPackage,
  folder: string,
): Promise<string> {
  const { stdout } = await promisify(execFile)(
    "npm",
    ["pack", `${name}@${version}`, "--prefer-offline", "--json", `--pack-destination=${folder}`],
    { cwd: REPOSITORY },
  );
  const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[];
  const tarball = join(folder, packed?.filename ?? "");
  const hash = createHash("sha512")
    .update(await readFile(tarball))
    .digest("base64");
  if (`sha512-${hash}` !== integrity) {
    throw new Error(`cannot use ${name}@${version}: its tarball has not the hash in package-lock.json`);
  }
  return tarball;
}
