/** One build in this process: everything is real but the guest. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CancelledError } from "../../src/base/errors.ts";
import { createLogger } from "../../src/base/log.ts";
import { type Build, listBuilds, readBuild } from "../../src/build/history.ts";
import { type JournalEvent, openJournal, readJournal } from "../../src/build/journal.ts";
import { processIdentity } from "../../src/build/process-id.ts";
import { type Outcome, runBuild } from "../../src/build/run-build.ts";
import { takeSecrets } from "../../src/build/steps/fetch-script.ts";
import type { BuildRequest } from "../../src/build/types.ts";
import { type Cloud, type CloudAuth, openCloud, parseCloudsYaml } from "../../src/openstack/index.ts";
import { type Guest, type GuestPlan, startGuest } from "./guest.ts";

/** How one build differs from a good one. */
export interface BuildChanges {
  readonly request?: Partial<BuildRequest>;
  readonly recipe?: Partial<BuildRequest["recipe"]>;
  readonly guest?: GuestPlan;
  /** Secrets for the script; they go through a file, as in life. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** What the charm would do; without it nobody publishes. */
  readonly publish?: () => Promise<boolean>;
  /** The machine goes down, from the beginning; without it that ends no build. */
  readonly isMachineStopping?: boolean;
  /** Hears of each event once it is on disk; the function ends the build as SIGTERM does. */
  readonly onEvent?: (event: JournalEvent, cancel: () => void) => void;
  /** Sees each cloud that the build opens and may give another one instead. */
  readonly onCloud?: (cloud: Cloud, cancel: () => void) => Cloud;
  readonly onGuest?: (guest: Guest, cancel: () => void) => Guest;
}

/** What a build left. */
export interface BuildResult {
  readonly outcome: Outcome;
  readonly build: Build;
  readonly events: readonly JournalEvent[];
  /** Everything that went to the log. */
  readonly log: string;
  /** The journal's text. */
  readonly journal: string;
  /** What was run in the guest. */
  readonly ran: readonly string[];
  /** OpenStack calls by the name of the cloud. */
  readonly calls: Readonly<Record<string, number>>;
}

/** Runs `request`, whose folder is below `builds`, in this process against a stand-in guest. */
export async function runOneBuild(
  request: BuildRequest,
  builds: string,
  changes: BuildChanges,
): Promise<BuildResult> {
  const folder = join(builds, request.id);
  const stop = new AbortController();
  const cancel = (): void => stop.abort(new CancelledError("cancelled by the test"));
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) }, "debug");
  await using started = await startGuest(request.id, changes.guest);
  const guest = changes.onGuest?.(started, cancel) ?? started;
  const calls: Record<string, number> = {};
  const auths = async (): Promise<ReadonlyMap<string, CloudAuth>> =>
    parseCloudsYaml(await readFile(request.cloudsFile, "utf8"), request.cloudsFile);
  let outcome: Outcome;
  {
    using journal = openJournal(folder, (event) => changes.onEvent?.(event, cancel));
    journal.add({ event: "started", process: (await processIdentity(process.pid)) ?? "" });
    const history = await listBuilds(builds);
    outcome = await runBuild(
      request,
      {
        openCloud: async (name, signal) => {
          const auth = (await auths()).get(name);
          if (auth === undefined) throw new Error(`no cloud ${name}`);
          const cloud = await openCloud(name, auth, { signal, log, limits: request.limits });
          const close = (): void => {
            calls[name] = (calls[name] ?? 0) + cloud.callCount();
            cloud.close();
          };
          const counted = { ...cloud, close };
          return changes.onCloud?.(counted, cancel) ?? counted;
        },
        cloudNames: async () => [...(await auths()).keys()],
        connect: guest.connect,
        downloads: join(builds, ".downloads"),
        folder,
        log,
        journal,
        alive: new Set([request.id]),
        knownImages: new Set(history.flatMap(({ artifacts }) => artifacts.map(({ imageId }) => imageId))),
        secrets: async () =>
          request.secretsFile === null
            ? { script: {}, notifyUrl: null }
            : await takeSecrets(request.secretsFile),
        publish: changes.publish ?? (async () => false),
        isMachineStopping: async () => changes.isMachineStopping === true,
      },
      AbortSignal.any([stop.signal, journal.full]),
    );
  }
  const build = await readBuild(folder);
  if (build === null) throw new Error(`cannot read the build in ${folder}`);
  return {
    outcome,
    build,
    events: await readJournal(folder),
    log: lines.join(""),
    journal: await readFile(join(folder, "journal.jsonl"), "utf8"),
    ran: guest.ran,
    calls,
  };
}
