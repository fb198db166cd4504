/** Proof of absence: looks through every byte of a published image's disk, used or free. */
import { createWriteStream } from "node:fs";
import { mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../src/base/errors.ts";
import { exec } from "../../src/base/exec.ts";
import { silentLogger } from "../../src/base/log.ts";
import { downloadImage, openCloud, type CloudAuth } from "../../src/openstack/index.ts";

/** A text that must not be on the disk in any of the forms of {@link formsOf}. */
export interface Forbidden {
  readonly what: string;
  readonly text: string;
}

/** What {@link searchImage} looked through. */
export interface Search {
  /** What was found, once for each place. */
  readonly found: readonly string[];
  /** Size of the image as it is published, and of its raw disk. */
  readonly imageBytes: number;
  readonly diskBytes: number;
}

const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/**
 * Downloads the image, unpacks it to a raw disk below `directory` (sparse; removed at the end) and searches
 * that. Needs qemu-img.
 */
export async function searchImage(
  source: { readonly auth: CloudAuth; readonly imageId: string; readonly directory: string },
  forbidden: readonly Forbidden[],
  signal: AbortSignal,
): Promise<Search> {
  await using folder = await mkdtempDisposable(join(source.directory, "search-"));
  const image = join(folder.path, "image");
  const disk = join(folder.path, "disk.raw");
  let imageBytes = 0;
  {
    const cloud = await openCloud("search", source.auth, { signal, log: silentLogger });
    using _closing = { [Symbol.dispose]: () => cloud.close() };
    const data = await downloadImage(cloud, source.imageId, { signal });
    data.on("data", (chunk: Buffer) => (imageBytes += chunk.length));
    await pipeline(data, createWriteStream(image), { signal });
  }
  await run("qemu-img", ["convert", "-O", "raw", image, disk], signal);
  await rm(image);
  return { ...(await searchFile(disk, forbidden, signal)), imageBytes };
}

/** Searches the file `path`; `forbidden` texts of less than six bytes are refused, they are everywhere. */
export async function searchFile(
  path: string,
  forbidden: readonly Forbidden[],
  signal: AbortSignal,
): Promise<Omit<Search, "imageBytes">> {
  const meaning = new Map<string, string>();
  for (const { what, text } of forbidden) {
    if (text.length < 6)
      throw new AppError(`cannot search for ${what}: it is too short to be told from chance`);
    for (const form of formsOf(text)) meaning.set(form, what);
  }
  const patterns = `${path}.patterns`;
  await writeFile(patterns, [...meaning.keys()].join("\n"), { mode: 0o600 });
  // lines end at NUL: a disk's empty parts would be one endless line else
  const { code, stdout, stderr } = await exec(
    "grep",
    ["--null-data", "--text", "--only-matching", "--fixed-strings", "--file", patterns, path],
    { env, signal },
  );
  await rm(patterns);
  if (code > 1) throw new AppError(`cannot search ${path}: ${stderr.trim()}`);
  const found = stdout.split("\0").flatMap((match) => meaning.get(match) ?? []);
  return { found, diskBytes: Number((await run("stat", ["-c", "%s", path], signal)).trim()) };
}

/** The ways in which a text may have been written: as it is, line by line, and encoded as programs do. */
export function formsOf(text: string): readonly string[] {
  const lines = text.split("\n").filter((line) => line.length >= 6);
  const bytes = Buffer.from(text);
  const shifts = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // what the neighbours decide is cut off
    return encoded.slice(before === 0 ? 0 : before + 1, encoded.length - 1);
  });
  const json = JSON.stringify(text).slice(1, -1);
  const shell = text.replaceAll("'", `'\\''`);
  return [...new Set([...lines, ...shifts, encodeURIComponent(text), json, ...shell.split("\n")])].filter(
    (form) => form.length >= 6,
  );
}

async function run(program: string, parameters: readonly string[], signal: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await exec(program, parameters, { env, signal });
  if (code !== 0) throw new AppError(`${program} exited with ${code}: ${stderr.trim()}`);
  return stdout;
}
