/**
 * What the Python charm's own files prove to be of its making, read before they are removed: nothing in a cloud is
 * taken for ours by its name alone (docs/decisions/0010-the-python-charm-is-left-by-evidence.md).
 */
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as v from "valibot";
import { isMissing, readOptional } from "../../base/files.ts";
import { rsaPublicKeyOf } from "./public-key.ts";

/** Name of the file with the traces, beside the one that says what is published. */
export const TRACES_FILE = "python-charm.json";

/** Ids in clouds that stand in its log, and its key. */
export interface Traces {
  /** Runner images that it uploaded, and base images. */
  readonly images: readonly string[];
  /** Snapshots of its builders. */
  readonly snapshots: readonly string[];
  readonly servers: readonly string[];
  /** Type and key of its key pair's public half, as in authorized_keys; null when there was no key that can be read. */
  readonly publicKey: string | null;
}

const ids = v.array(v.string());
const schema = v.object({ images: ids, snapshots: ids, servers: ids, publicKey: v.nullable(v.string()) });

/** The traces kept beside `publishedFile`; null where there are none (any more). */
export async function readTraces(publishedFile: string): Promise<Traces | null> {
  const json = await readOptional(tracesFile(publishedFile));
  return json === undefined ? null : v.parse(schema, JSON.parse(json));
}

/** The file that {@link readTraces} reads. */
export function tracesFile(publishedFile: string): string {
  return join(dirname(publishedFile), TRACES_FILE);
}

/** The text that {@link readTraces} reads. */
export function formatTraces(traces: Traces): string {
  return `${JSON.stringify(traces)}\n`;
}

/** Its log and the rotations of it, as logrotate names them. */
const LOG = /^info\.log(\.\d+(\.gz)?)?$/;
const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
/** Its sentences about what it made (its modules `store` and `openstack_builder`), whatever stands before them. */
const SENTENCES = {
  images: new RegExp(`Image created successfully, \\S+ (${ID})\\.$`),
  snapshots: new RegExp(`Snapshot created successfully, \\S+ (${ID})\\.$`),
  servers: new RegExp(`Launched builder, waiting for cloud-init to complete: (${ID})\\.$`),
} as const;

/** The paths of the log files in the folder `logs`. */
export async function logFilesIn(logs: string): Promise<readonly string[]> {
  try {
    return (await readdir(logs)).filter((name) => LOG.test(name)).map((name) => join(logs, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Reads the traces from `logFiles` and the private key `keyFile`; `onUnreadable` hears of files that cannot be read. */
export async function findTraces(
  logFiles: readonly string[],
  keyFile: string,
  onUnreadable: (file: string, error: unknown) => void,
): Promise<Traces> {
  const found = { images: new Set<string>(), snapshots: new Set<string>(), servers: new Set<string>() };
  for (const file of logFiles) {
    try {
      await readLines(file, (line) => {
        for (const [kind, sentence] of Object.entries(SENTENCES)) {
          const id = sentence.exec(line)?.[1];
          if (id !== undefined) found[kind as keyof typeof SENTENCES].add(id);
        }
      });
    } catch (error) {
      onUnreadable(file, error);
    }
  }
  const key = await readOptional(keyFile);
  const publicKey = key === undefined ? null : rsaPublicKeyOf(key);
  if (key !== undefined && publicKey === null) onUnreadable(keyFile, "it is no RSA private key");
  return {
    images: [...found.images],
    snapshots: [...found.snapshots],
    servers: [...found.servers],
    publicKey,
  };
}

async function readLines(file: string, onLine: (line: string) => void): Promise<void> {
  const read = async (lines: AsyncIterable<Buffer>): Promise<void> => {
    for await (const line of createInterface({ input: Readable.from(lines) })) onLine(line);
  };
  if (file.endsWith(".gz")) await pipeline(createReadStream(file), createGunzip(), read);
  else await pipeline(createReadStream(file), read);
}
