/** A charm file as it is checked: all of it in memory. */
import { stat } from "node:fs/promises";
import { zipEntries, type ZipEntry } from "../../lab/juju/charm-file.ts";

/** One entry with its content. */
export interface PackageEntry extends Omit<ZipEntry, "read"> {
  readonly content: Buffer;
}

/** A charm file. */
export interface CharmPackage {
  readonly path: string;
  /** Of the file itself. */
  readonly bytes: number;
  /** In the file's order, so also what is in it twice. */
  readonly entries: readonly PackageEntry[];
  /** The plain files by their paths; the last one where a path is there twice. */
  readonly files: ReadonlyMap<string, PackageEntry>;
}

/** Reads a charm file. Throws for what is no zip, is damaged, or has an absolute or escaping path in it. */
export async function readPackage(path: string): Promise<CharmPackage> {
  const entries: PackageEntry[] = [];
  for await (const { read, ...entry } of zipEntries(path)) entries.push({ ...entry, content: await read() });
  const files = new Map(
    entries.filter(({ kind }) => kind === "file").map((entry) => [entry.path, entry] as const),
  );
  return { path, bytes: (await stat(path)).size, entries, files };
}

/** The text of a file; `undefined` where there is none. */
export function textOf(charm: CharmPackage, path: string): string | undefined {
  return charm.files.get(path)?.content.toString("utf8");
}
