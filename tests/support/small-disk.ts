/** A small file system of its own (tmpfs), for what happens when it is full. Mounting it needs root. */
import { execFile } from "node:child_process";
import { appendFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { cp, mkdir, mkdtempDisposable, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A folder with little room; dispose of it to unmount it. */
export interface SmallDisk extends AsyncDisposable {
  /** Takes all the room that there is, but for `left` bytes, and what `file` (of empty lines) could grow by without any. */
  readonly fill: (options?: { readonly left?: number; readonly file?: string }) => void;
  /** Gives it back. */
  readonly empty: () => Promise<void>;
}

const run = promisify(execFile);
const FILL = "fill";

/** Puts a file system of `bytes` in the place of `folder`, with what is in that. */
export async function mountSmallDisk(folder: string, bytes: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  await using aside = await mkdtempDisposable(join(tmpdir(), "aside-"));
  await cp(folder, aside.path, { recursive: true });
  await run("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "tmpfs", folder]);
  await cp(aside.path, folder, { recursive: true });
  const file = join(folder, FILL);
  return {
    fill({ left = 0, file: grown } = {}) {
      rmSync(file, { force: true });
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - left), 1));
      if (grown === undefined) return;
      const rest = statSync(grown).size % bsize;
      if (rest > 0) appendFileSync(grown, "\n".repeat(bsize - rest));
    },
    empty: async () => await rm(file, { force: true }),
    async [Symbol.asyncDispose]() {
      // lazily: a builder that is stopped holds its folder
      await run("umount", ["--lazy", folder]);
    },
  };
}
