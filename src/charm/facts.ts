/** Everything a handler decides by, read once per dispatch. */
import type { ImageSpec } from "../build/types.ts";
import { laterPins, readPins, type Pins } from "../build/pins.ts";
import { pathsOf, type Paths } from "../build/paths.ts";
import type { CloudAuth } from "../openstack/index.ts";
import type { Run } from "../juju/index.ts";
import type { BuilderConfig } from "./config.ts";
import { digestKey } from "./digest.ts";
import { readCollection, type Collection } from "./cos/agent.ts";
import type { CharmEnvironment } from "./environment.ts";
import { bothForgotten, readForgotten, type Forgotten } from "./forgotten.ts";
import { readRequirer, type Requirer } from "./image-relation.ts";
import type { Peers } from "./peers.ts";
import { readNotifyUrl, readPassword, readScriptSecrets } from "./secrets.ts";

/** Name of the build cloud in clouds.yaml. */
export const BUILD_CLOUD = "builder";

/** Config, secrets and relations, parsed. */
export interface Facts {
  readonly config: BuilderConfig;
  readonly paths: Paths;
  readonly specs: readonly ImageSpec[];
  readonly requirers: readonly Requirer[];
  /** All clouds by their name in clouds.yaml: the build cloud, then each related account once. */
  readonly clouds: ReadonlyMap<string, CloudAuth>;
  /** Names of the clouds that want copies. */
  readonly targets: readonly string[];
  readonly scriptSecrets: Readonly<Record<string, string>> | null;
  /** Null: nobody is told how builds go. */
  readonly notifyUrl: string | null;
  readonly peers: Peers;
  /** Whether databags were queued because the leader recorded something else than we publish. */
  readonly isMirrored: boolean;
  /** Images of clouds that had departed count as gone. */
  readonly forgotten: Forgotten;
  readonly pins: Pins;
  /** Of this unit alone: what digests of secrets are made with. */
  readonly digestKey: string;
  /** Who collects metrics on this machine. */
  readonly collection: Collection;
}

/** Reads the facts beside what the peers say; throws ConfigError when an option or a secret is wrong. */
export async function readFacts(
  run: Run<BuilderConfig>,
  environment: CharmEnvironment,
  peers: Pick<Facts, "peers" | "isMirrored">,
): Promise<Facts> {
  const { unit, context } = run;
  const [config, relations] = await Promise.all([run.config(), unit.relations("image")]);
  // the interface carries no region: a requirer on our own Keystone is taken to be in our region
  const regionOf = (authUrl: string): string | null =>
    hostOf(authUrl) === hostOf(config.cloud.authUrl) ? config.cloud.region : null;
  const [password, scriptSecrets, notifyUrl, ...requirers] = await Promise.all([
    readPassword(unit, config.cloud.passwordSecret),
    readScriptSecrets(unit, config.script),
    readNotifyUrl(unit, config.notifySecret),
    ...relations.map((relation) => readRequirer(relation, regionOf)),
  ]);
  const { passwordSecret: _, ...account } = config.cloud;
  const targets = new Map<string, CloudAuth>();
  for (const { cloud, auth } of requirers) if (cloud !== null && auth !== null) targets.set(cloud, auth);
  const paths = pathsOf(environment.root, context.unit);
  return {
    config,
    paths,
    collection: await readCollection(unit, paths, config.metricsPort, environment.path),
    forgotten: bothForgotten(await readForgotten(paths.forgottenFile), peers.peers.forgotten),
    pins: laterPins(await readPins(paths.pinsFile), peers.peers.pins),
    specs: config.bases.map((base) => ({ base, arch: config.arch })),
    requirers,
    clouds: new Map([[BUILD_CLOUD, { ...account, password, caFile: null }], ...targets]),
    targets: [...targets.keys()],
    scriptSecrets,
    notifyUrl,
    digestKey: await digestKey(paths.digestKeyFile),
    ...peers,
  };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "";
}
