/** Tiny programs for tests: the headers of elf(5) with what a loader reads, and no code. */

/** What the program says of itself. */
export interface Program {
  readonly machine: number;
  readonly libraries: readonly string[];
  /** Versions of symbols that it needs. */
  readonly versions: readonly string[];
  readonly hasSymbols: boolean;
}

const HEADER = 64;

/** A program of 64 bits, little endian. */
export function elf({ machine, libraries, versions, hasSymbols }: Program): Buffer {
  const strings = ["", ...libraries, ...versions];
  const indexOf = (text: string): number =>
    Buffer.byteLength(strings.slice(0, strings.lastIndexOf(text)).join("\0")) + 1;
  const dynamic = Buffer.alloc((libraries.length + 1) * 16);
  for (const [index, library] of libraries.entries()) {
    dynamic.writeBigUInt64LE(1n, index * 16);
    dynamic.writeBigUInt64LE(BigInt(indexOf(library)), index * 16 + 8);
  }
  // two files that need half of the versions each
  const halves = [versions.slice(0, 1), versions.slice(1)].filter((half) => half.length > 0);
  const needed = Buffer.concat(
    halves.map((half, at) => {
      const need = Buffer.alloc(16 + half.length * 16);
      need.writeUInt16LE(1, 0);
      need.writeUInt16LE(half.length, 2);
      need.writeUInt32LE(16, 8);
      need.writeUInt32LE(at === halves.length - 1 ? 0 : need.length, 12);
      for (const [index, version] of half.entries()) {
        need.writeUInt32LE(indexOf(version), 16 + index * 16 + 8);
        need.writeUInt32LE(index === half.length - 1 ? 0 : 16, 16 + index * 16 + 12);
      }
      return need;
    }),
  );
  const contents: readonly (readonly [type: number, content: Buffer])[] = [
    [0, Buffer.alloc(0)],
    [3, Buffer.from(`${strings.join("\0")}\0`)],
    [6, dynamic],
    [0x6ffffffe, needed],
    ...(hasSymbols ? [[2, Buffer.alloc(24)] as const] : []),
  ];
  const body = Buffer.concat(contents.map(([, content]) => content));
  const header = Buffer.alloc(HEADER);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(machine, 0x12);
  header.writeBigUInt64LE(BigInt(HEADER + body.length), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(contents.length, 0x3c);
  let offset = HEADER;
  const sections = contents.map(([type, content]) => {
    const section = Buffer.alloc(64);
    section.writeUInt32LE(type, 4);
    section.writeBigUInt64LE(BigInt(offset), 0x18);
    section.writeBigUInt64LE(BigInt(content.length), 0x20);
    section.writeUInt32LE(1, 0x28);
    offset += content.length;
    return section;
  });
  return Buffer.concat([header, body, ...sections]);
}
