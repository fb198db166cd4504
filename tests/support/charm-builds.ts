/** The builds that a charm under test has started: stopped at once, and ended as the test says. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { waitFor } from "../../src/base/deadline.ts";
import { isMissing } from "../../src/base/files.ts";
import { PID_FILE, type Build } from "../../src/build/history.ts";
import { openJournal } from "../../src/build/journal.ts";
import { processIdentity } from "../../src/build/process-id.ts";
import type { ImageSpec } from "../../src/build/types.ts";

/** How a build ends. */
export interface Ending {
  /** `failed` with the sentence of the failed image; `killed` leaves no word about the end. */
  readonly outcome: "done" | "killed" | { readonly failed: string };
  /** Clouds that the build was about to upload to; the clouds of `images` without it. */
  readonly targets?: readonly string[];
  /** What it brought to which cloud: image id by cloud. */
  readonly images?: readonly { readonly spec: ImageSpec; readonly ids: Readonly<Record<string, string>> }[];
}

/** The started builders of one charm. */
export interface HeldBuilders extends AsyncDisposable {
  /** Stops (SIGSTOP) the process of every build there is: none finds out that there is no cloud. */
  readonly hold: () => void;
  /** Lets the builders that start from now on run. */
  readonly release: () => void;
  /** Ends the process of `build` and writes what a builder would have written. */
  readonly end: (build: Build | undefined, ending: Ending) => Promise<void>;
}

/** The image that the default config asks for. */
export const NOBLE: ImageSpec = { base: "noble", arch: "x64" };
/** A second one. */
export const JAMMY: ImageSpec = { base: "jammy", arch: "x64" };

/** Watches over the builders below each of `buildsFolders`; dispose of it to kill them. */
export function holdBuilders(buildsFolders: readonly string[]): HeldBuilders {
  const known = new Set<string>();
  const living = new Map<string, number>();
  let holds = true;
  const hold = (): void => {
    for (const folder of buildsFolders.flatMap((folder) => entries(folder).map((id) => join(folder, id)))) {
      const id = basename(folder);
      const pid = Number.parseInt(readIfThere(join(folder, PID_FILE)) ?? "", 10);
      if (known.has(id) || !(pid > 1)) continue;
      known.add(id);
      living.set(id, pid);
      if (holds) signal(pid, "SIGSTOP");
    }
  };
  return {
    hold,
    release() {
      holds = false;
    },
    async end(build, ending) {
      const pid = build && living.get(build.id);
      if (build === undefined || pid === undefined) throw new Error("cannot end a build that does not run");
      const identity = await processIdentity(pid);
      // first: who follows the build must not see it gone without a word
      signal(pid, "SIGSTOP");
      writeEnding(build.folder, identity ?? "", ending);
      signal(pid, "SIGKILL");
      await waitFor(AbortSignal.timeout(10_000), 5, async () =>
        (await processIdentity(pid)) === null ? true : undefined,
      );
      living.delete(build.id);
    },
    async [Symbol.asyncDispose]() {
      hold();
      for (const pid of living.values()) signal(pid, "SIGKILL");
    },
  };
}

function writeEnding(folder: string, process: string, ending: Ending): void {
  const { outcome, images = [] } = ending;
  const clouds = [...(ending.targets ?? new Set(images.flatMap(({ ids }) => Object.keys(ids))))];
  using journal = openJournal(folder, () => {});
  journal.add({ event: "started", process });
  journal.add({ event: "step-started", image: "", step: "sign in to the build cloud" });
  journal.add({ event: "step-ended", image: "", step: "sign in to the build cloud", ms: 7, error: null });
  if (clouds.length > 0 || ending.targets !== undefined)
    journal.add({ event: "targets", image: "noble-x64", clouds });
  for (const { spec, ids } of images) {
    for (const [cloud, imageId] of Object.entries(ids)) {
      journal.add({ event: "artifact", spec, cloud, imageId, sizeBytes: 1, hash: "sha512:00" });
    }
  }
  if (outcome === "killed") return;
  if (outcome === "done") {
    journal.add({ event: "ended", outcome, error: null });
    return;
  }
  journal.add({ event: "image-failed", image: "noble-x64", error: outcome.failed });
  journal.add({ event: "ended", outcome: "failed", error: outcome.failed });
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // it has ended by itself
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
