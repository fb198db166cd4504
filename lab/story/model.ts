/** What an admin tells Juju to have images built on one of the lab's clouds. */
import type { FakeJuju } from "../juju/index.ts";
import type { LabCloud, LabProject } from "../layout.ts";

/** Name of the application; its unit is `image-builder/0`. */
export const APPLICATION = "image-builder";
/** Name of its first unit. */
export const UNIT = `${APPLICATION}/0`;
/** What the lab's images get beyond the runner: few and small, the guest is emulated. */
export const PACKAGES = ["jq", "socat", "time", "unzip"] as const;

/** What the charm is deployed with. */
export interface BuilderWish {
  readonly lab: LabCloud;
  /** The charm's folder or file. */
  readonly charm: string;
  /** The folder itself is the unit's, not a copy. */
  readonly link: boolean;
  /** Options beyond those that a deployment on the lab needs; `script-secret-id` is set from `scriptSecret`. */
  readonly config?: Readonly<Record<string, string | number>>;
  readonly scriptSecret?: Readonly<Record<string, string>>;
  /** Address of the webhook; `notify-url` is set to a secret with it. */
  readonly notifyUrl?: string;
}

/** Deploys the charm with the lab's build project and mirrors; gives the URI of the secret with the project's password. */
export async function deployBuilder(juju: FakeJuju, wish: BuilderWish): Promise<string> {
  const { lab, charm, link, config, scriptSecret, notifyUrl } = wish;
  const builder = lab.credentials("builder");
  const passwordSecret = juju.addSecret({ password: builder.password });
  const secrets = {
    ...(scriptSecret === undefined ? {} : { "script-secret-id": juju.addSecret(scriptSecret) }),
    ...(notifyUrl === undefined ? {} : { "notify-url": juju.addSecret({ url: notifyUrl }) }),
  };
  await juju.deploy(APPLICATION, {
    charm,
    link,
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

/** Relates requirers that write the credentials of the projects of their names, each in a hook of its own; gives the relations' ids. */
export async function relateRequirers(
  juju: FakeJuju,
  lab: LabCloud,
  projects: readonly LabProject[],
): Promise<ReadonlyMap<LabProject, number>> {
  const relations = new Map<LabProject, number>();
  for (const project of projects) {
    juju.addScriptedApplication(project, {
      endpoints: { image: { interface: "github_runner_image_v0", role: "requires" } },
      units: 1,
    });
    relations.set(project, await juju.relate(`${APPLICATION}:image`, `${project}:image`));
  }
  for (const [project, id] of relations) juju.setUnitData(id, `${project}/0`, credentials(lab, project));
  return relations;
}

/** `blocked build failed: ...` */
export function statusOf(juju: FakeJuju, unit = UNIT): string {
  const workload = juju.status().applications[APPLICATION]?.units[unit]?.workload;
  return `${workload?.status ?? ""} ${workload?.message ?? ""}`;
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
