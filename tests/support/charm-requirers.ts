/** Charms that run runners, as the image builder sees them: units that write credentials and read images. */
import { cloudKey } from "../../src/openstack/index.ts";
import { APPLICATION, deployBuilder, UNIT, type Deployed, type Deployment } from "./charm.ts";

/** The six keys that a requirer writes. */
export type Credentials = Readonly<
  Record<
    "auth_url" | "password" | "project_domain_name" | "project_name" | "user_domain_name" | "username",
    string
  >
>;

/** One relation with a requirer of one unit. */
export interface Requirer {
  readonly relation: number;
  /** Writes into the requirer's unit databag, and waits for the hooks. */
  readonly write: (data: Readonly<Record<string, string>>) => Promise<void>;
  /** What we have published to it: our unit's databag without Juju's own keys. */
  readonly bag: (unit?: string) => Readonly<Record<string, string>>;
  /** Ends the relation, and waits for the hooks. */
  readonly leave: () => Promise<void>;
}

/** Credentials of `project` in a cloud that never answers; its password is `<project>-S3cret-pass`. */
export function credentialsOf(charm: Deployed, project: string): Credentials {
  return {
    auth_url: charm.authUrl,
    password: `${project}-S3cret-pass`,
    project_domain_name: "Default",
    project_name: project,
    user_domain_name: "Default",
    username: `${project}-user`,
  };
}

/** The name that the cloud of `credentials` has in clouds.yaml and in journals. */
export function cloudOf(credentials: Credentials): string {
  return cloudKey({
    authUrl: credentials.auth_url,
    projectName: credentials.project_name,
    projectDomainName: credentials.project_domain_name,
    username: credentials.username,
    userDomainName: credentials.user_domain_name,
    password: credentials.password,
    region: null,
    caFile: null,
  });
}

/** Relates a new application `name`, which writes `data` at once, and waits for the hooks. */
export async function relate(
  charm: Deployed,
  name: string,
  data: Readonly<Record<string, string>> = {},
): Promise<Requirer> {
  const { juju } = charm;
  const unit = `${name}/0`;
  juju.addScriptedApplication(name, {
    endpoints: { image: { interface: "github_runner_image_v0", role: "requires" } },
    units: 1,
  });
  const relation = await juju.relate(`${APPLICATION}:image`, `${name}:image`);
  const write = async (values: Readonly<Record<string, string>>): Promise<void> => {
    juju.setUnitData(relation, unit, values);
    await charm.settle();
  };
  await write(data);
  return {
    relation,
    write,
    bag: (ours = UNIT) =>
      Object.fromEntries(
        Object.entries(juju.unitData(relation, ours)).filter(
          ([key]) => !["egress-subnets", "ingress-address", "private-address"].includes(key),
        ),
      ),
    async leave() {
      await juju.removeRelation(relation);
      await charm.settle();
    },
  };
}

/** A deployed charm and its one requirer. */
export interface Related {
  readonly charm: Deployed;
  readonly runner: Requirer;
  /** The name that the requirer's cloud has in clouds.yaml and in journals. */
  readonly cloud: string;
}

/**
 * Deploys the charm, ends its first builder, which prepares the build cloud, and relates `runner-a`, for which a build is
 * under way. Dispose of the charm.
 */
export async function deployRelated(deployment: Deployment = {}): Promise<Related> {
  await using cleanup = new AsyncDisposableStack();
  const charm = cleanup.use(await deployBuilder(deployment));
  await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
  const credentials = credentialsOf(charm, "runner-a");
  const runner = await relate(charm, "runner-a", credentials);
  cleanup.move();
  return { charm, runner, cloud: cloudOf(credentials) };
}
