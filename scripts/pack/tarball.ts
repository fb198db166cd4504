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
  const words = ["pack", `${name}@${version}`, "--prefer-offline", "--json", `--pack-destination=${folder}`];
  const { stdout } = await promisify(execFile)("npm", words, { cwd: REPOSITORY }).catch(
    (error: Error & { readonly stderr: string }) => {
      const [reason = error.message] = error.stderr
        .split("\n")
        .filter((line) => line.startsWith("npm error"));
      throw new Error(`cannot fetch ${name}@${version} from npm's registry: ${reason}`, { cause: error });
    },
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
