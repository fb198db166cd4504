/** `image-builder check-releases`: tells of newer runners and base images, and whom to tell. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, ConfigError } from "../../base/errors.ts";
import { minutes, withDeadline } from "../../base/deadline.ts";
import { exec } from "../../base/exec.ts";
import { isMissing } from "../../base/files.ts";
import { REQUEST_FILE } from "../../build/history.ts";
import { readJournal } from "../../build/journal.ts";
import { findNews } from "../../build/releases.ts";
import { parseRequest } from "../../build/request.ts";
import type { BuildRequest } from "../../build/types.ts";
import type { Terminal } from "../program.ts";

const LIMIT_MS = minutes(5);

/** Writes a line for each thing that the build did not know; runs `wake` when there is one. */
export async function checkReleasesCommand(
  options: { readonly build: string; readonly wake: readonly string[] },
  terminal: Terminal,
): Promise<void> {
  const request = await readRequest(join(options.build, REQUEST_FILE));
  const events = await readJournal(options.build);
  await withDeadline(terminal.signal, LIMIT_MS, "cannot look for releases", async (signal) => {
    const news = await findNews(request, events, signal);
    terminal.stdout.write(news.length === 0 ? "nothing is newer\n" : `${news.join("\n")}\n`);
    const [file, ...parameters] = options.wake;
    if (news.length === 0 || file === undefined) return;
    const env = { PATH: terminal.env["PATH"] ?? "" };
    const { code, stderr } = await exec(file, parameters, { env, signal });
    if (code !== 0)
      throw new AppError(`cannot tell the charm: ${file} exited with ${code}: ${stderr.trim()}`);
  });
}

async function readRequest(path: string): Promise<BuildRequest> {
  try {
    return parseRequest(await readFile(path, "utf8"), path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ConfigError([`there is no build request ${path}`], { cause: error });
  }
}
