/** What a unit's agent remembers of what it has delivered: the "local state" of Juju's uniter. */

/** The relation that a relation hook is about; empty texts where Juju leaves a variable empty. */
export interface HookRelation {
  readonly id: number;
  readonly endpoint: string;
  readonly remoteApplication: string;
  readonly remoteUnit: string;
  readonly departingUnit: string;
}

/** The secret that a secret hook is about; `id` without the scheme. */
export interface HookSecret {
  readonly id: string;
  readonly label: string;
  readonly revision: number | undefined;
}

/** The storage instance that a storage hook is about: `data/0`, and where it is mounted or which device it is. */
export interface HookStorage {
  readonly id: string;
  readonly kind: "filesystem" | "block";
  readonly location: string;
}

/** A hook about the unit itself. */
export interface UnitHook {
  readonly kind:
    | "install"
    | "upgrade-charm"
    | "config-changed"
    | "start"
    | "stop"
    | "remove"
    | "update-status"
    | "leader-elected"
    | "leader-settings-changed"
    | "pre-series-upgrade"
    | "post-series-upgrade";
}

/** A hook about a relation. */
export interface RelationHook {
  readonly kind:
    | "relation-created"
    | "relation-joined"
    | "relation-changed"
    | "relation-departed"
    | "relation-broken";
  readonly relation: HookRelation;
}

/** A hook about a secret. */
export interface SecretHook {
  readonly kind: "secret-changed" | "secret-remove" | "secret-rotate" | "secret-expired";
  readonly secret: HookSecret;
}

/** A hook about a storage instance. */
export interface StorageHook {
  readonly kind: "storage-attached" | "storage-detaching";
  readonly storage: HookStorage;
}

/** One hook of a machine charm to run. */
export type Hook = UnitHook | RelationHook | SecretHook | StorageHook;

/** What the agent knows of one relation. */
export interface LocalRelation {
  created: boolean;
  /** Members that have joined, with the version of their settings last delivered. */
  readonly members: Map<string, number>;
  /** The member whose `joined` ran and whose `changed` must come next. */
  changedPending: string | undefined;
  applicationVersion: number;
}

/** The state of one unit's agent. */
export interface AgentState {
  readonly directory: string;
  readonly charmDirectory: string;
  readonly toolsDirectory: string;
  installTried: boolean;
  installed: boolean;
  started: boolean;
  stopped: boolean;
  removed: boolean;
  failed: Hook | undefined;
  /** The failed hook may run again now. */
  retry: boolean;
  failures: number;
  configSeen: number;
  /** Version of the charm whose files the unit has. */
  charmPlaced: number;
  /** Version of the charm that the charm itself knows of: by install or upgrade-charm. */
  charmSeen: number;
  leader: boolean;
  leaderSettingsSeen: number;
  startAgain: boolean;
  /** How often update-status was asked for and has not run since. */
  updateStatusDue: number;
  statusSetInHook: boolean;
  readonly relations: Map<number, LocalRelation>;
  /** Per secret, the newest revision told to this unit by `secret-changed`. */
  readonly secretsTold: Map<string, number>;
  /** `id/revision` pairs told by `secret-remove` or `secret-expired`. */
  readonly revisionsTold: Set<string>;
  /** Secrets whose owner is to be told by `secret-rotate`. */
  readonly rotationsDue: Set<string>;
  readonly expiriesDue: Map<string, number>;
  /** Ids of the storage that `storage-attached` has told of. */
  readonly storages: Set<string>;
  /** The upgrade of the machine's base that goes on; between its two hooks no other one runs. */
  series: { readonly base: string; phase: "preparing" | "prepared" | "completing" } | undefined;
}

/** The state of an agent that has done nothing yet. */
export function newAgentState(directory: string, charmDirectory: string, toolsDirectory: string): AgentState {
  return {
    directory,
    charmDirectory,
    toolsDirectory,
    installTried: false,
    installed: false,
    started: false,
    stopped: false,
    removed: false,
    failed: undefined,
    retry: false,
    failures: 0,
    configSeen: -1,
    charmPlaced: 0,
    charmSeen: 0,
    leader: false,
    leaderSettingsSeen: -1,
    startAgain: false,
    updateStatusDue: 0,
    statusSetInHook: false,
    relations: new Map(),
    secretsTold: new Map(),
    revisionsTold: new Set(),
    rotationsDue: new Set(),
    expiriesDue: new Map(),
    storages: new Set(),
    series: undefined,
  };
}

/** The hook's full name, as in `JUJU_HOOK_NAME`: with the endpoint's or storage's name before its kind. */
export function hookName(hook: Hook): string {
  if ("storage" in hook) return `${hook.storage.id.replace(/\/.*$/, "")}-${hook.kind}`;
  return "relation" in hook ? `${hook.relation.endpoint}-${hook.kind}` : hook.kind;
}
