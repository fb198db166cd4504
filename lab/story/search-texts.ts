/** Secrets in what processes, files and services show: the forms of a text, and where they stand. */
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../src/base/errors.ts";
import { isMissing } from "../../src/base/files.ts";
import { type Forbidden, formsOf } from "./search-disk.ts";

/** Gives what `text` shows of the forbidden ones, by their names. */
export type Finder = (text: string) => readonly string[];

/** Compiles the forms of `forbidden`. Throws for a text so short that chance would write it. */
export function finderOf(forbidden: readonly Forbidden[]): Finder {
  const forms = forbidden.map(({ what, text }) => {
    if (text.length < 6) throw new AppError(`cannot search for ${what}: it is too short`);
    return { what, forms: [...new Set([text, ...formsOf(text)])] };
  });
  return (text) =>
    forms.filter((one) => one.forms.some((form) => text.includes(form))).map(({ what }) => what);
}

/** A watch over all processes of the machine; dispose of it to end it. */
export interface ProcessWatch extends AsyncDisposable {
  /** `argv of 123 (node): the password of builder`, each once. */
  readonly hits: () => readonly string[];
  /** Processes that were looked at. */
  readonly seen: () => number;
}

const EVERY_MS = 50;

/**
 * Looks at the arguments and environments of all processes, again and again. `mayShow` lets an environment have what
 * its process was given by somebody else.
 */
export function watchProcesses(
  find: Finder,
  mayShow: (what: string, environ: string) => boolean = () => false,
): ProcessWatch {
  const hits = new Set<string>();
  const seen = new Set<string>();
  const end = new AbortController();
  const watching = (async () => {
    while (!end.signal.aborted) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();

  async function look(): Promise<void> {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    for (const pid of pids) {
      const argv = await readProcess(pid, "cmdline");
      // a process that becomes another program has other arguments
      if (argv === "" || seen.has(`${pid} ${argv}`)) continue;
      const environ = await readProcess(pid, "environ");
      seen.add(`${pid} ${argv}`);
      const name = argv.split("\0")[0]?.split("/").at(-1) ?? "";
      for (const what of find(argv)) hits.add(`argv of ${name}: ${what}`);
      for (const what of find(environ)) {
        if (!mayShow(what, environ))
          hits.add(`environment of ${name} (${argv.replaceAll("\0", " ")}): ${what}`);
      }
    }
  }

  return {
    hits: () => [...hits],
    seen: () => seen.size,
    async [Symbol.asyncDispose]() {
      end.abort();
      await watching;
    },
  };
}

/**
 * Whether `what` stands in `environ` only where Juju puts it: a hook has the model's proxies, with their passwords, in
 * variables of Juju's own. No process that outlives a hook has them.
 */
export function isGivenByJuju(find: Finder, what: string, environ: string): boolean {
  const variables = environ.split("\0");
  if (!variables.some((variable) => variable.startsWith("JUJU_CONTEXT_ID="))) return false;
  const others = variables.filter((variable) => !/^JUJU_CHARM_(HTTP|HTTPS|FTP)_PROXY=/.test(variable));
  return !find(others.join("\0")).includes(what);
}

async function readProcess(pid: string, what: "cmdline" | "environ"): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${what}`, "utf8");
  } catch {
    // it has ended
    return "";
  }
}

/** Which file may hold which secret. */
export type MayHold = (file: { readonly path: string; readonly mode: number }, what: string) => boolean;

/** What the files below `folder` that changed since `since` show: `path: what`. */
export async function searchFiles(
  folder: string,
  since: Date,
  find: Finder,
  mayHold: MayHold,
): Promise<{ readonly found: readonly string[]; readonly files: number }> {
  const found: string[] = [];
  let files = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    try {
      const { mtime, mode } = await stat(path);
      if (mtime < since) continue;
      files += 1;
      const text = await readFile(path, "latin1");
      // the forms are text: bytes above ASCII are read as they were written
      const shown = new Set([...find(text), ...find(Buffer.from(text, "latin1").toString("utf8"))]);
      const wrong = [...shown].filter((what) => !mayHold({ path, mode }, what));
      found.push(...wrong.map((what) => `${path}: ${what}`));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return { found, files };
}
