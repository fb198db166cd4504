/** Whether there is a runner or a base image that the last build did not know yet. */
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { spawnDetached } from "../base/exec.ts";
import { locateBaseImage } from "./base-images.ts";
import { ubuntuKey } from "./base-images/signature.ts";
import type { JournalEvent } from "./journal.ts";
import type { BuilderProgram } from "./start-build.ts";
import { resolveRunnerVersion } from "./steps/runner-version.ts";
import { specName, type BuildRequest } from "./types.ts";

/**
 * What a journal calls the things that a build took from outside, and what it learned beside: the serial of an image's
 * base, and the newest runner where it took another one.
 */
export const FOUND = {
  runner: "runner",
  newestRunner: "newest runner",
  baseImage: "base image",
  serial: "base image serial",
} as const;

/**
 * A sentence for each thing that is newer now than what the build of `request` took, as its journal's `events`
 * tell. None for a build that did not get so far: the schedule repeats that. Throws when a mirror does not answer.
 */
export async function findNews(
  request: BuildRequest,
  events: readonly JournalEvent[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const took = new Map(
    events.flatMap((event) =>
      event.event === "found" ? [[`${event.image}\n${event.what}`, event.value]] : [],
    ),
  );
  const news: string[] = [];
  const compare = (image: string, what: string, now: string): void => {
    const before = took.get(`${image}\n${what}`);
    const whose = image === "" ? "" : ` of ${image}`;
    if (before !== undefined && before !== now) news.push(`the ${what}${whose} is ${now} now, not ${before}`);
  };
  const { runnerVersion, runnerMirror } = request.recipe;
  compare("", FOUND.runner, await resolveRunnerVersion(runnerVersion, runnerMirror, signal));
  const key = await ubuntuKey();
  for (const spec of request.images) {
    const { sha256 } = await locateBaseImage(request, spec, key, signal);
    compare(specName(spec), FOUND.baseImage, sha256);
  }
  return news;
}

/** File beside the builds that gets what the last check said. */
const LOG_FILE = "check-releases.log";

/**
 * Starts `image-builder check-releases` against the newest build, in `folder`, as a process that outlives the hook;
 * `wake` is run when there is news.
 */
export async function startCheck(
  folder: string,
  program: BuilderProgram,
  wake: readonly string[],
): Promise<void> {
  await using log = await open(join(dirname(dirname(folder)), LOG_FILE), "w", 0o600);
  const [file, ...parameters] = program.command;
  await spawnDetached(file, [...parameters, "check-releases", "--build", folder, "--", ...wake], {
    env: program.env,
    cwd: "/",
    output: log.fd,
  });
}
