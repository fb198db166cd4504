/** Clouds that no related charm uses any more and whose images are to be removed: one folder each. */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { spawnDetached } from "../base/exec.ts";
import { isMissing, readOptional, writeAtomic } from "../base/files.ts";
import { formatCloudsYaml, type CloudAuth } from "../openstack/index.ts";
import { isRunning, processIdentity } from "./process-id.ts";
import type { BuilderProgram } from "./start-build.ts";
import type { Owner } from "./types.ts";

const text = v.pipe(v.string(), v.nonEmpty());
const schema = v.object({
  cloud: text,
  since: text,
  owner: v.object({ modelUuid: text, application: text, unit: text }),
  cloudsFile: text,
  buildCloud: text,
  publishedFile: text,
});

/** What is known of one departure. */
export interface Departure {
  /** Name that the cloud had in clouds.yaml. */
  readonly cloud: string;
  /** When it was missed there. */
  readonly since: string;
  readonly owner: Owner;
  /** The clouds that are in use; the projects of those are left alone. */
  readonly cloudsFile: string;
  /** The one of them that is no target. */
  readonly buildCloud: string;
  /** Images that stand in databags; they are left alone. */
  readonly publishedFile: string;
}

/** A departure and its folder, whose {@link CREDENTIALS_FILE} holds the cloud's account. */
export interface KeptDeparture extends Departure {
  readonly folder: string;
}

const DEPARTURE_FILE = "departure.json";
const PID_FILE = "pid";
/** A clouds.yaml with the one cloud. */
export const CREDENTIALS_FILE = "clouds.yaml";
/** What the removal has to say, one JSON object per line. */
export const REMOVAL_LOG_FILE = "removal.log";

/** Writes a departure down; the same cloud's older one stays as it is. Nobody but root can read it. */
export async function keepDeparture(folder: string, departure: Departure, auth: CloudAuth): Promise<void> {
  const own = folderOf(folder, departure.cloud);
  if ((await readDeparture(own)) !== null) return;
  await mkdir(own, { recursive: true, mode: 0o700 });
  await writeAtomic(join(own, CREDENTIALS_FILE), formatCloudsYaml(new Map([[departure.cloud, auth]])), 0o600);
  // last: a folder without it is none
  await writeAtomic(join(own, DEPARTURE_FILE), `${JSON.stringify(departure)}\n`, 0o600);
}

/** All departures that were kept in `folder`. */
export async function listDepartures(folder: string): Promise<readonly KeptDeparture[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const found = await Promise.all(names.toSorted().map((name) => readDeparture(join(folder, name))));
  return found.filter((departure) => departure !== null);
}

/** The departure in a folder; null when there is none. */
export async function readDeparture(folder: string): Promise<KeptDeparture | null> {
  const json = await readOptional(join(folder, DEPARTURE_FILE));
  if (json === undefined) return null;
  const result = v.safeParse(schema, JSON.parse(json));
  return result.success ? { ...result.output, folder } : null;
}

/** Forgets a departure, with the account. */
export async function forgetDeparture(departure: KeptDeparture): Promise<void> {
  await rm(departure.folder, { recursive: true, force: true });
}

/**
 * Starts `image-builder remove-images` for a departure, as a process that outlives the hook. False when one is
 * at it, or was and `again` is false.
 */
export async function startRemoval(
  departure: KeptDeparture,
  program: () => Promise<BuilderProgram>,
  again: boolean,
): Promise<boolean> {
  const { folder } = departure;
  const pidFile = join(folder, PID_FILE);
  const identity = await readOptional(pidFile);
  if (identity !== undefined && (!again || (await isRunning(identity.trim())))) return false;
  await using log = await open(join(folder, REMOVAL_LOG_FILE), "a", 0o600);
  const { command, env } = await program();
  const [file, ...parameters] = command;
  const pid = await spawnDetached(file, [...parameters, "remove-images", "--departure", folder], {
    env,
    // not the folder, which is gone before the process
    cwd: "/",
    output: log.fd,
  });
  await writeAtomic(pidFile, `${(await processIdentity(pid)) ?? `${pid}:ended`}\n`, 0o600).catch(
    (error: unknown) => {
      // a fast removal has ended and removed its folder
      if (!isMissing(error)) throw error;
    },
  );
  return true;
}

function folderOf(folder: string, cloud: string): string {
  return join(folder, createHash("sha256").update(cloud).digest("hex").slice(0, 16));
}
