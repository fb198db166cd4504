/** The Node.js that travels in the charm. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { readLock, type LockedPackage } from "./lock.ts";
import { ARCHITECTURES, type ArchitectureName } from "./platforms.ts";
import { REPOSITORY } from "./repository.ts";
import { fetchTarball } from "./tarball.ts";

const run = promisify(execFile);
const CACHE = join(REPOSITORY, "node_modules/.cache/node-runtime");

/** Node.js for one architecture. */
export interface NodeRuntime {
  readonly version: string;
  /** The program without its symbols. */
  readonly program: Buffer;
  /** Its licence and those of the libraries in it. */
  readonly licence: string;
}

/**
 * The Node.js that package-lock.json pins, for any architecture: npm fetches its tarball, which must have the
 * locked hash, and binutils take the symbols off, a seventh of it. The result is kept below node_modules. Throws
 * when the tools for the architecture are missing and cannot be installed.
 */
export async function nodeRuntime(architecture: ArchitectureName): Promise<NodeRuntime> {
  const { nodePackage, triplet } = ARCHITECTURES[architecture];
  const locked = (await readLock())(nodePackage);
  const strip = `${triplet}-strip`;
  const { stdout: tool } = await runInstalled(architecture, strip, ["--version"]);
  const key = createHash("sha256").update(`${locked.integrity}\n${tool}`).digest("hex").slice(0, 16);
  const folder = join(CACHE, `${architecture}-${key}`);
  if (!(await isThere(folder))) await prepare(locked, strip, folder);
  return {
    version: locked.version,
    program: await readFile(join(folder, "node")),
    licence: await readFile(join(folder, "LICENSE"), "utf8"),
  };
}

async function prepare(locked: LockedPackage, strip: string, target: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "new-"));
  try {
    const tarball = await fetchTarball(locked, folder);
    const ready = join(folder, "ready");
    await mkdir(ready);
    await run("tar", [
      "--extract",
      `--file=${tarball}`,
      `--directory=${folder}`,
      "package/bin/node",
      "package/LICENSE",
    ]);
    await run(strip, ["--strip-all", "-o", join(ready, "node"), join(folder, "package/bin/node")]);
    await rename(join(folder, "package/LICENSE"), join(ready, "LICENSE"));
    // another packing may have been faster
    await rename(ready, target).catch(async (error: unknown) => {
      if (!(await isThere(target))) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a tool of the architecture's binutils, which are installed where they are missing. */
async function runInstalled(
  architecture: ArchitectureName,
  tool: string,
  parameters: readonly string[],
): Promise<{ readonly stdout: string }> {
  try {
    return await run(tool, parameters);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { binutils } = ARCHITECTURES[architecture];
  if (process.getuid?.() !== 0) {
    throw new Error(`cannot pack for ${architecture} without ${tool}: install ${binutils}`);
  }
  console.error(`installing ${binutils}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["-q", "update"], { env });
  await run("apt-get", ["-q", "-y", "install", "--no-install-recommends", binutils], { env });
  return await run(tool, parameters);
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
