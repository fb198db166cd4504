/** Zip files that are the same whenever and wherever they are written. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

/** One file of a charm. */
export interface PackedFile {
  /** Path in the charm. */
  readonly path: string;
  readonly content: Buffer;
  readonly isExecutable: boolean;
}

/** Writes `files` to the zip `path`, which appears when it is whole; what was there is replaced. */
export async function writeZip(path: string, files: readonly PackedFile[]): Promise<void> {
  const zip = new ZipFile();
  // any would do from 1980 on; zip knows no time zones, so local time is the same everywhere
  const mtime = new Date(1985, 9, 26, 8, 15);
  const failed = new Promise<never>((_, reject) => void zip.once("error", reject));
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    zip.addBuffer(file.content, file.path, {
      mtime,
      forceDosTimestamp: true,
      mode: 0o100000 | (file.isExecutable ? 0o755 : 0o644),
      compressionLevel: 6,
    });
  }
  zip.end();
  const partial = `${path}.${process.pid}.partial`;
  try {
    await Promise.race([pipeline(zip.outputStream, createWriteStream(partial)), failed]);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}
