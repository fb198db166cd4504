/** What commands about the clouds go by: a build request, and what lies beside it. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { minutes, withDeadline } from "../base/deadline.ts";
import { AppError, ConfigError, describe } from "../base/errors.ts";
import { mapLimit } from "../base/limit.ts";
import { createLogger, type Logger } from "../base/log.ts";
import { redact } from "../base/redact.ts";
import { PINS_FILE, readPins, type Pins } from "../build/pins.ts";
import { NO_EVIDENCE, readEvidence } from "../build/publication/evidence.ts";
import type { Evidence } from "../build/publication/states.ts";
import { parseRequest } from "../build/request.ts";
import type { BuildRequest } from "../build/types.ts";
import { openCloud, parseCloudsYaml, type Cloud, type CloudAuth } from "../openstack/index.ts";
import type { Terminal } from "./program.ts";

/** One cloud may take this long for what a command asks of it. */
const CLOUD_LIMIT_MS = minutes(2);

/** Everything that a request file leads to. */
export interface Site {
  readonly request: BuildRequest;
  readonly clouds: ReadonlyMap<string, CloudAuth>;
  /** Clouds that get copies. */
  readonly targets: readonly string[];
  /** The folder that holds one folder per build. */
  readonly buildsFolder: string;
  /** What is published and pinned at the moment of asking. */
  readonly evidence: () => Promise<Evidence>;
  readonly pins: Pins;
  /** Null for a request that no charm wrote: nothing is published by it. */
  readonly pinsFile: string | null;
  readonly log: Logger;
}

/** A cloud's answer, or the sentence that says why there is none. */
export interface Answer<T> {
  readonly cloud: string;
  readonly value: T | null;
  readonly problem: string | null;
}

/** Reads the request in `file` and what is kept beside it. Throws ConfigError for what cannot be read. */
export async function readSite(file: string, terminal: Terminal): Promise<Site> {
  const request = parseRequest(await read(file), file);
  const clouds = parseCloudsYaml(await read(request.cloudsFile), request.cloudsFile);
  const state = request.publishedFile === null ? null : dirname(request.publishedFile);
  const pinsFile = state === null ? null : join(state, PINS_FILE);
  const pins = pinsFile === null ? { at: "", pins: [] } : await readPins(pinsFile);
  const evidence = async (): Promise<Evidence> =>
    (request.publishedFile === null ? null : await readEvidence(request.publishedFile)) ?? NO_EVIDENCE;
  // a broken file is said before any cloud is asked
  await evidence();
  return {
    request,
    clouds,
    targets: [...clouds.keys()].filter((name) => name !== request.buildCloud),
    buildsFolder: state === null ? dirname(dirname(file)) : join(state, "builds"),
    evidence,
    pins,
    pinsFile,
    log: createLogger(terminal.stderr, "error"),
  };
}

/** Asks each of the clouds `names`, side by side; one that does not answer holds up no other. */
export async function askClouds<T>(
  site: Site,
  names: readonly string[],
  terminal: Terminal,
  ask: (cloud: Cloud, signal: AbortSignal) => Promise<T>,
): Promise<readonly Answer<T>[]> {
  const results = await mapLimit(names, 8, async (name) => {
    const auth = site.clouds.get(name);
    if (auth === undefined) throw new AppError(`${site.request.cloudsFile} has no cloud "${name}"`);
    return await withDeadline(terminal.signal, CLOUD_LIMIT_MS, `the questions to ${name}`, async (signal) => {
      const cloud = await openCloud(name, auth, { signal, log: site.log });
      try {
        return await ask(cloud, signal);
      } finally {
        cloud.close();
      }
    });
  });
  terminal.signal.throwIfAborted();
  return results.map((result, index) => {
    const cloud = names[index] ?? "";
    return result.status === "fulfilled"
      ? { cloud, value: result.value, problem: null }
      : { cloud, value: null, problem: redact(describe(result.reason)) };
  });
}

/** Ends a command whose question some clouds did not answer: names them, and sets exit code 1. */
export function reportProblems(answers: readonly Answer<unknown>[], terminal: Terminal): void {
  const problems = answers.flatMap(({ cloud, problem }) =>
    problem === null ? [] : [`${cloud}: ${problem}`],
  );
  if (problems.length > 0) throw new AppError(`cannot ask ${problems.join("; ")}`);
  terminal.setExitCode(0);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ConfigError([`cannot read ${path}`], { cause: error });
  }
}
