/** Following a build for an operator who waits. */
import { seconds, waitFor } from "../../base/deadline.ts";
import { formatDuration } from "../../base/errors.ts";
import { readBuild, type Build } from "../../build/history.ts";
import { readJournal, type JournalEvent } from "../../build/journal.ts";

const LOOK_MS = seconds(0.5);

/**
 * Waits until the build in `folder` has ended, or has uploaded all and waits for the charm to publish; `say` gets a line
 * per step. Gives the build as it is then.
 */
export async function followBuild(
  folder: string,
  say: (line: string) => Promise<void>,
  signal: AbortSignal,
): Promise<Build> {
  let seen = 0;
  return await waitFor(signal, LOOK_MS, async () => {
    const events = await readJournal(folder);
    for (const event of events.slice(seen)) {
      const line = lineOf(event);
      if (line !== null) await say(line);
    }
    seen = events.length;
    const build = await readBuild(folder);
    if (build === null) throw new Error(`the build in ${folder} is gone`);
    const isUploaded = events.some((event) => event.event === "step-started" && event.step === "publish");
    return isUploaded || (build.state !== "running" && build.state !== "queued") ? build : undefined;
  });
}

function lineOf(event: JournalEvent): string | null {
  switch (event.event) {
    case "step-ended": {
      const image = event.image === "" ? "" : `${event.image}: `;
      if (event.error !== null) return `${image}cannot ${event.step}: ${event.error}`;
      return `${image}${event.step}: ${formatDuration(event.ms)}`;
    }
    case "artifact":
      return `${event.spec.base}-${event.spec.arch}: image ${event.imageId} in ${event.cloud}, verified`;
    case "leftover":
      return `left behind: ${event.what}: ${event.error}`;
    case "ended":
      return event.error === null ? `build ${event.outcome}` : `build ${event.outcome}: ${event.error}`;
    case "looked":
      return event.missing.length === 0 ? null : `missing: published ${event.missing.join(", ")}`;
    case "started":
    case "step-started":
    case "progress":
    case "found":
    case "targets":
    case "created":
    case "published":
    case "image-failed":
    case "reaped":
    case "upload-failed":
      return null;
  }
}
