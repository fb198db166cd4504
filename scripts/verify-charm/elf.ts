/** Programs as Linux loads them: elf(5), of 64 bits and little endian, as all our architectures have it. */

/** What a program needs of the machine that it runs on. */
export interface Needs {
  /** `e_machine`. */
  readonly machine: number;
  /** File names of libraries. */
  readonly libraries: readonly string[];
  /** Versions of symbols, such as `GLIBC_2.28`. */
  readonly versions: readonly string[];
  /** Whether the symbols are there that only debuggers need. */
  readonly hasSymbols: boolean;
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** Index of the section with its strings. */
  readonly link: number;
}

const SYMBOLS = 2;
const DYNAMIC = 6;
const VERSIONS_NEEDED = 0x6ffffffe;
const NEEDED = 1n;

/** Reads the headers of a program; `undefined` for what is none. */
export function readNeeds(file: Buffer): Needs | undefined {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    return undefined;
  const [start, entrySize, count] = [
    Number(file.readBigUInt64LE(0x28)),
    file.readUInt16LE(0x3a),
    file.readUInt16LE(0x3c),
  ];
  if (start + count * entrySize > file.length) return undefined;
  const sections = Array.from({ length: count }, (_, index): Section => {
    const at = start + index * entrySize;
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 0x18)),
      size: Number(file.readBigUInt64LE(at + 0x20)),
      link: file.readUInt32LE(at + 0x28),
    };
  });
  const ofType = (type: number): readonly Section[] => sections.filter((section) => section.type === type);
  const stringOf = ({ link }: Section, index: number): string => {
    const at = (sections[link]?.offset ?? 0) + index;
    return file.toString("latin1", at, file.indexOf(0, at));
  };
  return {
    machine: file.readUInt16LE(0x12),
    libraries: ofType(DYNAMIC).flatMap((section) =>
      neededNames(file, section).map((index) => stringOf(section, index)),
    ),
    versions: ofType(VERSIONS_NEEDED).flatMap((section) =>
      versionNames(file, section).map((index) => stringOf(section, index)),
    ),
    hasSymbols: ofType(SYMBOLS).length > 0,
  };
}

/** `DT_NEEDED` entries, as indices of strings. */
function neededNames(file: Buffer, { offset, size }: Section): readonly number[] {
  const found: number[] = [];
  for (let at = offset; at + 16 <= offset + size; at += 16) {
    if (file.readBigUInt64LE(at) === NEEDED) found.push(Number(file.readBigUInt64LE(at + 8)));
  }
  return found;
}

/** The `vna_name` of each `Vernaux` of each `Verneed`, as indices of strings. */
function versionNames(file: Buffer, { offset }: Section): readonly number[] {
  const found: number[] = [];
  for (let need = offset, next = 1; next !== 0; need += next) {
    const count = file.readUInt16LE(need + 2);
    let auxiliary = need + file.readUInt32LE(need + 8);
    for (let index = 0; index < count; index += 1) {
      found.push(file.readUInt32LE(auxiliary + 8));
      auxiliary += file.readUInt32LE(auxiliary + 12);
    }
    next = file.readUInt32LE(need + 12);
  }
  return found;
}
