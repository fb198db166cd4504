/** What the charm decides by, as plain data for tests to change. */
import { NO_PINS } from "../../src/build/pins.ts";
import { pathsOf } from "../../src/build/paths.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { parseConfig, type BuilderConfig } from "../../src/charm/config.ts";
import type { Facts } from "../../src/charm/facts.ts";
import type { Requirer } from "../../src/charm/image-relation.ts";
import type { Peers } from "../../src/charm/peers.ts";
import type { RawConfig, Relation, Settings } from "../../src/juju/index.ts";

/** The options as Juju gives them: defaults, and what an operator must set. */
export const RAW_CONFIG: RawConfig = {
  architecture: "x64",
  "base-image": "noble",
  "build-flavor": "",
  "build-network": "",
  "parallel-images": 2,
  "build-interval": 6,
  schedule: "",
  "openstack-auth-url": "https://keystone.example:5000/v3",
  "openstack-user-name": "builder",
  "openstack-user-domain-name": "Default",
  "openstack-password-secret": "secret:cq5k0abcq5k0abcq5k0a",
  "openstack-project-name": "build-project",
  "openstack-project-domain-name": "Default",
  "openstack-region": "",
  "revision-history-limit": 5,
  "remove-departed-images": false,
  "rebuild-on-release": false,
  "metrics-port": 29_100,
  "ca-certificates": "",
  "time-limits": "",
  "runner-version": "",
  "runner-mirror": "https://github.com/canonical/github-actions-runner/releases",
  "script-url": "",
  "script-sha256": "",
  "script-secret": "",
  "base-image-mirror": "https://cloud-images.ubuntu.com",
  "base-image-serial": "",
  "base-image-require-signature": false,
  "apt-mirror": "",
  "yq-mirror": "https://github.com/mikefarah/yq/releases",
  "apt-packages": "",
  snaps: "aproxy=latest/edge,opentelemetry-collector,juju,microk8s:classic",
  "npm-packages": "yarn",
};

/** {@link RAW_CONFIG} with changes, parsed. */
export function configWith(changes: RawConfig = {}): BuilderConfig {
  const config = parseConfig({ ...RAW_CONFIG, ...changes }, null);
  if (config instanceof ConfigError) throw config;
  return config;
}

/** A relation whose databags are `bags` by unit; `ours` is our own one. */
export function relationWith(bags: Readonly<Record<string, Settings>>, ours: Settings = {}): Relation {
  const unexpected = (): never => {
    throw new Error("not asked for by this charm");
  };
  return {
    id: 1,
    endpoint: "image",
    key: "image:1",
    remoteApplication: async () => "runner",
    remoteUnits: async () => Object.keys(bags),
    unitData: async (unit) => bags[unit] ?? unexpected(),
    ourUnitData: async () => ours,
    applicationData: unexpected,
    ourApplicationData: unexpected,
    remoteModelUuid: unexpected,
    setUnitData: unexpected,
    setApplicationData: unexpected,
  };
}

/** A relation that gave no credentials yet. */
export function requirerWith(changes: Partial<Requirer> = {}): Requirer {
  return {
    relation: relationWith({}),
    application: "runner",
    auth: null,
    cloud: null,
    problem: null,
    published: {},
    ...changes,
  };
}

/** What the only unit of an application knows of others. */
export function peersWith(changes: Partial<Peers> = {}): Peers {
  return {
    relation: null,
    isLeader: true,
    others: [],
    leader: null,
    publications: new Map(),
    builds: [],
    artifacts: [],
    published: [],
    forgotten: new Map(),
    pins: NO_PINS,
    ...changes,
  };
}

/** Facts of a charm with these relations; each cloud that one names is a target. */
export function factsWith(requirers: readonly Requirer[], config = configWith()): Facts {
  return {
    config,
    paths: pathsOf("/nowhere", "builder/0"),
    specs: config.bases.map((base) => ({ base, arch: config.arch })),
    requirers,
    clouds: new Map(),
    targets: [...new Set(requirers.flatMap(({ cloud }) => (cloud === null ? [] : [cloud])))],
    scriptSecrets: null,
    notifyUrl: null,
    peers: peersWith(),
    isMirrored: false,
    forgotten: new Map(),
    pins: NO_PINS,
    digestKey: "key",
    collection: { agents: [], port: null, problem: null },
  };
}
