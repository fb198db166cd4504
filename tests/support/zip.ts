/** Zips as no sound program writes them. */
import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";

/** One entry. */
export interface Given {
  /** May be absolute or lead out of the zip. */
  readonly path: string;
  readonly content: Buffer;
  /** With the kind of file in it, such as 0o100644 of a plain one. */
  readonly mode: number;
  /** Whether its time is before 1980. */
  readonly isOld?: boolean;
}

const CENTRAL_HEADER = Buffer.from("PK\u0001\u0002", "latin1");

/** The zip of `entries`, in their order; a folder has a slash at the end of its path. */
export async function zipOf(entries: readonly Given[]): Promise<Buffer> {
  const zip = new ZipFile();
  const options = { mtime: new Date(2000, 1, 1), forceDosTimestamp: true };
  for (const { path, content, mode } of entries) {
    // the library refuses what leads out of a zip: such names are put in afterwards
    const sound = path.replaceAll(/^\/|\.\./g, (bad) => "_".repeat(bad.length));
    if (path.endsWith("/")) zip.addEmptyDirectory(sound, { ...options, mode });
    else zip.addBuffer(content, sound, { ...options, mode, compress: false });
  }
  zip.end();
  const made = await buffer(zip.outputStream);
  let at = made.indexOf(CENTRAL_HEADER);
  for (const { path, isOld } of entries) {
    const [name, local] = [Buffer.from(path), made.readUInt32LE(at + 42)];
    name.copy(made, at + 46);
    name.copy(made, local + 30);
    if (isOld === true) made.writeUInt32LE(0, at + 12);
    at += 46 + name.length + made.readUInt16LE(at + 30) + made.readUInt16LE(at + 32);
  }
  return made;
}
