/** What `npm run pack` is told. */
import { parseArgs } from "node:util";
import { ARCHITECTURES, BASES, type ArchitectureName, type Base } from "./platforms.ts";

/** What to pack. */
export interface PackOptions {
  readonly architectures: readonly ArchitectureName[];
  readonly bases: readonly Base[];
  /** Where the charm files go. */
  readonly folder: string;
  /** Where the files go instead that charmcraft packs; null: charm files are made. */
  readonly stage: string | null;
  /** What `juju status` shows; null: the one in package.json. */
  readonly version: string | null;
}

/** The options are wrong; the message says which, and how to use them. */
export class PackOptionsError extends Error {}

const USAGE = `usage: npm run pack [-- OPTION...]
  --arch ${Object.keys(ARCHITECTURES).join("|")}      may be given several times; both without it
  --base ${BASES.join("|")}  version of Ubuntu; may be given several times; ${BASES[0]} without it
  --out FOLDER           where the charm files go; the current folder without it
  --version TEXT         what juju status shows; package.json's without it
  --stage FOLDER         for charmcraft: put the files there, without declarations and manifest, and make no charm file`;

/** Reads the command's words. Throws PackOptionsError for what it does not understand. */
export function readOptions(words: readonly string[]): PackOptions {
  const { arch = Object.keys(ARCHITECTURES), base = [BASES[0]], out, version, stage } = parse(words);
  const options = {
    architectures: chosen("--arch", arch, Object.keys(ARCHITECTURES) as ArchitectureName[]),
    bases: chosen("--base", base, BASES),
    folder: out ?? ".",
    stage: stage ?? null,
    version: version ?? null,
  };
  if (stage !== undefined && options.architectures.length !== 1)
    throw new PackOptionsError("--stage: give one --arch with it");
  if (version !== undefined && !/^[\w.+~-]+$/.test(version))
    throw new PackOptionsError("--version: letters, digits and . + ~ - _ only");
  return options;
}

function parse(words: readonly string[]): {
  readonly arch?: string[];
  readonly base?: string[];
  readonly out?: string;
  readonly version?: string;
  readonly stage?: string;
} {
  try {
    return parseArgs({
      args: [...words],
      options: {
        arch: { type: "string", multiple: true },
        base: { type: "string", multiple: true },
        out: { type: "string" },
        version: { type: "string" },
        stage: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new PackOptionsError(`${(error as Error).message}\n${USAGE}`, { cause: error });
  }
}

function chosen<T extends string>(
  option: string,
  given: readonly string[],
  known: readonly T[],
): readonly T[] {
  const unknown = given.filter((word) => !known.some((name) => name === word));
  if (unknown.length > 0)
    throw new PackOptionsError(`${option}: there is no ${unknown.join(", ")}; give ${known.join(", ")}`);
  return known.filter((name) => given.includes(name));
}
