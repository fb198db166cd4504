/** Writes the few kinds of tar entries that the lab needs (POSIX ustar), always the same bytes for the same input. */

/** A regular file of an archive. */
export interface TarFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

const BLOCK = 512;

/** An uncompressed ustar archive of `files`, owned by root, dated `modified` (seconds since 1970). */
export function tarArchive(files: readonly TarFile[], modified: number): Buffer {
  const parts: Buffer[] = [];
  for (const file of files) {
    const data = Buffer.from(file.text);
    parts.push(
      header(file, data.length, modified),
      data,
      Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK),
    );
  }
  // two empty blocks end an archive
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(file: TarFile, size: number, modified: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  if (Buffer.byteLength(file.path) > 100)
    throw new RangeError(`cannot archive ${file.path}: longer than 100 bytes`);
  block.write(file.path, 0);
  block.write(octal(file.mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(modified, 12), 136);
  // the checksum is counted with spaces in its own place
  block.fill(" ", 148, 156);
  block.write("0", 156);
  block.write("ustar\u000000", 257);
  block.write("root", 265);
  block.write("root", 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
