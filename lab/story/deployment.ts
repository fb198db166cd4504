/** The charm deployed by the fake Juju onto one of the lab's clouds, and what a person would do with it. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../../src/base/errors.ts";
import { listBuilds } from "../../src/build/history.ts";
import type { JournalEvent } from "../../src/build/journal.ts";
import { pathsOf, type Paths } from "../../src/build/paths.ts";
import { FakeJuju } from "../juju/index.ts";
import type { LabCloud, LabProject } from "../layout.ts";
import { endLeftBuilders } from "./end-left-builders.ts";
import { followBuild, type Followed } from "./follow-build.ts";

/** Name of the application; its unit is `image-builder/0`. */
export const APPLICATION = "image-builder";
/** Name of its first unit. */
export const UNIT = `${APPLICATION}/0`;
/** What the lab's images get beyond the runner: few and small, the guest is emulated. */
export const PACKAGES = ["jq", "socat", "time", "unzip"] as const;

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** How to deploy. */
export interface DeploymentOptions {
  readonly lab: LabCloud;
  /** Folder for the unit's files and Juju's; what an earlier deployment left there is ended and removed. */
  readonly directory: string;
  /** Options beyond those that a deployment on the lab needs; `script-secret-id` is set from `scriptSecret`. */
  readonly config?: Readonly<Record<string, string | number>>;
  /** Address of the model's HTTP proxy, for the unit and the guests. */
  readonly proxy?: string;
  readonly scriptSecret?: Readonly<Record<string, string>>;
  /** Address of the webhook; `notify-url` is set to a secret with it. */
  readonly notifyUrl?: string;
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

/** Deploys the repository's charm with the lab's build project and mirrors, and waits until its hooks have run. */
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
  const unit = (name = UNIT) => juju.status().applications[APPLICATION]?.units[name];
  const newestBuild = async (): Promise<string> => {
    const build = (await listBuilds(paths.builds)).at(-1);
    if (build === undefined) throw new AppError(`no build was started in ${paths.builds}`);
    return build.folder;
  };
  const passwordSecret = await deploy(juju, options);
  await settle();

  return {
    juju,
    paths,
    passwordSecret,
    log,
    settle,
    newestBuild,
    relate: async (projects) => {
      for (const project of projects) {
        juju.addScriptedApplication(project, {
          endpoints: { image: { interface: "github_runner_image_v0", role: "requires" } },
          units: 1,
        });
        relations.set(project, await juju.relate(`${APPLICATION}:image`, `${project}:image`));
      }
      for (const project of projects) {
        juju.setUnitData(relations.get(project) ?? 0, `${project}/0`, credentials(lab, project));
      }
      await settle();
    },
    databag: (requirer, ours = UNIT) => juju.unitData(relations.get(requirer) ?? 0, ours),
    status: (name) => `${unit(name)?.workload.status ?? ""} ${unit(name)?.workload.message ?? ""}`,
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

async function deploy(juju: FakeJuju, options: DeploymentOptions): Promise<string> {
  const { lab, config, scriptSecret, notifyUrl } = options;
  const builder = lab.credentials("builder");
  const passwordSecret = juju.addSecret({ password: builder.password });
  const secrets = {
    ...(scriptSecret === undefined ? {} : { "script-secret-id": juju.addSecret(scriptSecret) }),
    ...(notifyUrl === undefined ? {} : { "notify-url": juju.addSecret({ url: notifyUrl }) }),
  };
  await juju.deploy(APPLICATION, {
    charm: REPOSITORY,
    link: true,
    config: {
      architecture: "amd64",
      "base-image": "noble",
      "openstack-auth-url": builder.authUrl,
      "openstack-project-name": builder.projectName,
      "openstack-project-domain-name": builder.projectDomainName,
      "openstack-user-name": builder.username,
      "openstack-user-domain-name": builder.userDomainName,
      "openstack-password-secret": passwordSecret,
      "revision-history-limit": 2,
      "base-image-mirror": lab.mirrorUrl,
      "runner-mirror": `${lab.runnerMirrorUrl}/releases`,
      "apt-mirror": lab.aptMirrorUrl,
      "apt-packages": ["-*", ...PACKAGES].join(","),
      "yq-mirror": "",
      snaps: "",
      "npm-packages": "",
      ...secrets,
      ...config,
    },
  });
  for (const uri of [passwordSecret, ...Object.values(secrets)]) juju.grantSecret(uri, APPLICATION);
  return passwordSecret;
}

function credentials(lab: LabCloud, project: LabProject): Record<string, string> {
  const { authUrl, projectName, projectDomainName, username, userDomainName, password } =
    lab.credentials(project);
  return {
    auth_url: authUrl,
    password,
    project_domain_name: projectDomainName,
    project_name: projectName,
    user_domain_name: userDomainName,
    username,
  };
}
