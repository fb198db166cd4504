/** Dispatches that are killed before one of their effects, see `doomed-dispatch.ts`. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, readOptional } from "../../src/base/files.ts";
import { PID_FILE, REQUEST_FILE } from "../../src/build/history.ts";
import { processIdentity } from "../../src/build/process-id.ts";
import { isUnderWay } from "../../src/charm/due.ts";
import { parseCloudsYaml } from "../../src/openstack/index.ts";
import { APPLICATION, type Deployed, deployBuilder } from "./charm.ts";
import type { Requirer } from "./charm-requirers.ts";

/** What is done to a dispatch. */
export interface Doom {
  /** As Juju names it: `hooks/config-changed`, `build-changed`. */
  readonly dispatchPath: string;
  /** Number of the effect before which it dies; null: it lives. */
  readonly at: number | null;
  /** Whether all of its process group dies. */
  readonly isWhole: boolean;
  /** File that gets a line per effect. */
  readonly log: string;
}

/** A deployment whose dispatches can be killed. */
export interface Doomed extends AsyncDisposable {
  readonly charm: Deployed;
  /** Runs `work` with that dispatch doomed; gives the effects that came, the one that it died of last. */
  readonly doom: (
    dispatchPath: string,
    at: number | null,
    work: () => Promise<unknown>,
  ) => Promise<readonly string[]>;
  /** Runs failed hooks again, as Juju does. */
  readonly recover: () => Promise<void>;
}

/** Deploys the charm with everything that {@link Doomed.doom} needs. */
export async function deployDoomed(folder: string): Promise<Doomed> {
  const order = join(folder, "doom.json");
  const log = join(folder, "effects");
  const preload = new URL("doomed-dispatch.ts", import.meta.url).href;
  const charm = await deployBuilder({
    environment: { DOOMED_DISPATCH: order, NODE_OPTIONS: `--import ${preload}` },
  });
  return {
    charm,
    async doom(dispatchPath, at, work) {
      await rm(log, { force: true });
      const doom: Doom = { dispatchPath, at, isWhole: at !== null && at % 2 === 0, log };
      await writeFile(order, JSON.stringify(doom));
      await work();
      await rm(order, { force: true });
      const text = await readFile(log, "utf8").catch((error: unknown) => {
        if (isMissing(error)) return "";
        throw error;
      });
      return text.split("\n").filter((line) => line !== "");
    },
    async recover() {
      const failed = (): readonly string[] =>
        Object.entries(charm.juju.status().applications[APPLICATION]?.units ?? {}).flatMap(
          ([name, { agent }]) => (agent.status === "error" ? [name] : []),
        );
      for (let tries = 0; tries < 3 && failed().length > 0; tries += 1) {
        for (const unit of failed()) await charm.juju.resolve(unit);
        await charm.settle();
      }
      if (failed().length > 0) throw new Error(`fails again and again: ${charm.failures().at(-1)}`);
    },
    [Symbol.asyncDispose]: async () => await charm[Symbol.asyncDispose](),
  };
}

/** What a charm's state is held against. */
export interface Expected {
  readonly requirers: readonly Requirer[];
  /** Images that builds brought. */
  readonly verified: ReadonlySet<string>;
  /** Relations that had an image before: they are never without. */
  readonly served: ReadonlySet<number>;
  /** Whether something has run since the kill, which clears away what a killed writer left. */
  readonly isOver: boolean;
}

/** What is wrong at this moment with databags, builds and files. */
export async function damageOf(
  { paths, builds, root }: Deployed,
  { requirers, verified, served, isOver }: Expected,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const requirer of requirers) {
    const bag = requirer.bag();
    const keys = Object.keys(bag).toSorted().join(",");
    if (keys !== "id,images,tags" && (keys !== "" || served.has(requirer.relation)))
      problems.push(`relation ${requirer.relation} has the keys "${keys}"`);
    if (bag["id"] !== undefined && !verified.has(bag["id"]))
      problems.push(`relation ${requirer.relation} has image ${bag["id"]}, which nobody verified`);
  }
  const underWay = (await builds()).filter(isUnderWay);
  if (underWay.length > 1) problems.push(`${underWay.length} builds at once`);
  for (const file of await filesBelow(root)) {
    if (file.endsWith(".tmp")) {
      // what is in a build's folder goes with that
      if (isOver && !file.includes("/builds/")) problems.push(`${file} is left`);
      continue;
    }
    const [, secrets] = /^\/run\/.*\/(\d{8}t[^/]+)\.json$/.exec(file) ?? [];
    if (isOver && secrets !== undefined && !underWay.some(({ id }) => id === secrets))
      problems.push(`the secrets of ${secrets} are left`);
    if (!file.endsWith(".json")) continue;
    // a builder that starts reads its secrets and removes them
    const text = await readOptional(join(root, file));
    if (text !== undefined && !isJson(text)) problems.push(`${file} is torn`);
  }
  parseCloudsYaml(await readFile(paths.cloudsFile, "utf8"), paths.cloudsFile);
  if (!(await readFile(paths.cronFile, "utf8")).endsWith("\n")) problems.push("the cron file is torn");
  return problems;
}

/**
 * Lets a minute pass for builds whose dispatch was killed before it noted their process: one without any counts as about to
 * begin for so long. One that has a process is held like all others.
 */
export async function letTimePass(charm: Deployed): Promise<void> {
  for (const build of (await charm.builds()).filter(isUnderWay)) {
    if ((await readOptional(join(build.folder, PID_FILE))) !== undefined) continue;
    const pid = await builderOf(build.id);
    if (pid !== null) {
      await writeFile(join(build.folder, PID_FILE), `${await processIdentity(pid)}\n`);
      charm.builders.hold();
      continue;
    }
    const file = join(build.folder, REQUEST_FILE);
    const request = JSON.parse(await readFile(file, "utf8")) as object;
    const createdAt = new Date(Date.now() - 61_000).toISOString();
    await writeFile(file, JSON.stringify({ ...request, createdAt }));
  }
}

async function builderOf(id: string): Promise<number | null> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // one that has just ended cannot be read
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (words.includes("\0--request\0") && words.includes(`/${id}/`)) return Number(pid);
  }
  return null;
}

/** Every file below `folder` that is not Node's. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("/var/cache/"))
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
