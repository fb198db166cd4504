/** The charm deployed by the fake Juju onto one of the lab's clouds, and what a person would do with it. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { stageCharm } from "../../scripts/bundle/stage.ts";
import { AppError } from "../../src/base/errors.ts";
import { listBuilds } from "../../src/build/history.ts";
import type { JournalEvent } from "../../src/build/journal.ts";
import { pathsOf, type Paths } from "../../src/build/paths.ts";
import { FakeJuju } from "../juju/index.ts";
import type { LabProject } from "../layout.ts";
import { endLeftBuilders } from "./end-left-builders.ts";
import { followBuild, type Followed } from "./follow-build.ts";
import { APPLICATION, deployBuilder, relateRequirers, statusOf, UNIT, type BuilderWish } from "./model.ts";

/** How to deploy. */
export interface DeploymentOptions extends Omit<BuilderWish, "charm" | "link"> {
  /** Folder for the unit's files and Juju's; what an earlier deployment left there is ended and removed. */
  readonly directory: string;
  /** Address of the model's HTTP proxy, for the unit and the guests. */
  readonly proxy?: string;
  readonly signal: AbortSignal;
}

/** A deployed charm; dispose of it to end Juju's processes and a builder that still runs. */
export interface Deployment extends AsyncDisposable {
  readonly juju: FakeJuju;
  readonly paths: Paths;
  /** URI of the secret with the build project's password. */
  readonly passwordSecret: string;
  /** Everything that Juju's log showed, a line each. */
  readonly log: readonly string[];
  /** Relates requirers that write the credentials of the projects of their names, each in a hook of its own. */
  readonly relate: (projects: readonly LabProject[]) => Promise<void>;
  /** What `requirer` finds in the databag of our first unit, or of `unit`. */
  readonly databag: (requirer: LabProject, unit?: string) => Readonly<Record<string, string>>;
  /** Waits until no hook is due. */
  readonly settle: () => Promise<void>;
  /** `blocked build failed: ...` */
  readonly status: (unit?: string) => string;
  /** Adds a unit and waits for its hooks; gives its name. */
  readonly addUnit: () => Promise<string>;
  /** All statuses that the first unit ever had, oldest first. */
  readonly statuses: () => readonly string[];
  /** Folder of the newest build. */
  readonly newestBuild: () => Promise<string>;
  /**
   * Follows the newest build to its end, and waits until the charm has heard of it. Where the charm then begins
   * another one (a cloud came while a build was failing), that one is followed, too.
   */
  readonly follow: (onEvent: (event: JournalEvent) => void) => Promise<Followed>;
}

/** Deploys the charm, bundled as it is packed, with the lab's build project and mirrors, and waits until its hooks have run. */
export async function deployCharm(options: DeploymentOptions): Promise<Deployment> {
  const { lab, directory, signal } = options;
  const root = join(directory, "root");
  await endLeftBuilders(root);
  await rm(directory, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  const paths = pathsOf(root, UNIT);
  const log: string[] = [];
  const relations = new Map<LabProject, number>();
  const juju = await FakeJuju.start({
    directory: join(directory, "juju"),
    model: { name: "lab", uuid: randomUUID() },
    version: "3.6.9",
    extraEnvironment: {
      IMAGE_BUILDER_ROOT: root,
      ...(options.proxy === undefined ? {} : { JUJU_CHARM_HTTP_PROXY: options.proxy }),
    },
    installExecAt: join(root, "usr/bin/juju-exec"),
    log: ({ level, module, message }) => log.push(`${level} ${module} ${message}`),
  });
  const settle = async (): Promise<void> => await juju.settle({ signal });
  const unit = () => juju.status().applications[APPLICATION]?.units[UNIT];
  const newestBuild = async (): Promise<string> => {
    const build = (await listBuilds(paths.builds)).at(-1);
    if (build === undefined) throw new AppError(`no build was started in ${paths.builds}`);
    return build.folder;
  };
  // what ships is what is told of: a checkout's processes carry a compiler, in their memory, too
  const charm = join(directory, "charm");
  await stageCharm(charm, process.execPath);
  const passwordSecret = await deployBuilder(juju, { ...options, charm, link: true });
  await settle();

  return {
    juju,
    paths,
    passwordSecret,
    log,
    settle,
    newestBuild,
    relate: async (projects) => {
      for (const [project, id] of await relateRequirers(juju, lab, projects)) relations.set(project, id);
      await settle();
    },
    databag: (requirer, ours = UNIT) => juju.unitData(relations.get(requirer) ?? 0, ours),
    status: (name) => statusOf(juju, name),
    addUnit: async () => {
      await juju.addUnits(APPLICATION, 1);
      await settle();
      return Object.keys(juju.status().applications[APPLICATION]?.units ?? {}).at(-1) ?? "";
    },
    statuses: () => (unit()?.history ?? []).map(({ status, message }) => `${status} ${message}`),
    follow: async (onEvent) => {
      for (;;) {
        const folder = await newestBuild();
        const followed = await followBuild(folder, onEvent, signal);
        await settle();
        if ((await newestBuild()) === folder) return followed;
      }
    },
    async [Symbol.asyncDispose]() {
      await endLeftBuilders(root);
      await juju[Symbol.asyncDispose]();
    },
  };
}
