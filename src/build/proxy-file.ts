/** Handing proxies with passwords to a process of ours: by a file on tmpfs, never by its environment. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { minutes } from "../base/deadline.ts";
import { AppError } from "../base/errors.ts";
import { isMissing, writeAtomic } from "../base/files.ts";
import { registerSecret } from "../base/redact.ts";
import { proxyPasswords } from "./proxies.ts";
import type { Proxy } from "./types.ts";

/** A process takes its file when it begins; one that did not was killed before. */
const FORGOTTEN_MS = minutes(10);
/** Begins the names of our files; no build's id begins so. */
const PREFIX = "proxies-";

const schema = v.strictObject({ http: v.string(), https: v.string(), noProxy: v.string() });

/** Writes `proxy` into a file below `folder` that root alone can read, for one process to take; gives its path. */
export async function handOver(proxy: Proxy, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${PREFIX}${randomBytes(6).toString("hex")}.json`);
  await writeAtomic(path, JSON.stringify(proxy), 0o600);
  return path;
}

/** What {@link handOver} wrote to `path`; the file is removed, and passwords are redacted everywhere from then on. */
export async function takeProxies(path: string): Promise<Proxy> {
  let json: string;
  try {
    json = await readFile(path, "utf8");
  } catch (error) {
    throw new AppError(`cannot read the proxies in ${path}`, { cause: error });
  }
  await rm(path, { force: true });
  const result = v.safeParse(schema, parse(json));
  if (!result.success) throw new AppError(`${path} does not hold the addresses of proxies`);
  for (const password of proxyPasswords(result.output)) registerSecret(password);
  return result.output;
}

/** Removes what was handed over below `folder` so long ago that no process is going to take it any more. */
export async function dropProxies(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(folder, name);
    try {
      if (Date.now() - (await stat(path)).mtimeMs > FORGOTTEN_MS) await rm(path, { force: true });
    } catch (error) {
      // its process has just taken it
      if (!isMissing(error)) throw error;
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // the parser's message quotes the text: neither it nor a cause may go on
    return undefined;
  }
}
