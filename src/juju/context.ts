/** The environment that the Juju agent gives a hook, read once (juju-rules 1.2). */
import { AppError } from "../base/errors.ts";
import { jujuVersion, type JujuVersion } from "./version.ts";

/** Identifies a relation; hook commands take it as `endpoint:id`. */
export interface RelationRef {
  readonly id: number;
  readonly endpoint: string;
}

/** The relation a hook is about. */
export interface RelationContext extends RelationRef {
  /** `null` in created, broken and when only the application's databag changed. */
  readonly remoteUnit: string | null;
  readonly remoteApplication: string | null;
  /** The unit that leaves, in `relation-departed` only; our own name when we are the one. */
  readonly departingUnit: string | null;
}

/** The action being run; `id` is Juju's task number. */
export interface ActionContext {
  readonly name: string;
  readonly id: string | null;
}

/** The secret a hook is about; `revision` is given only in `secret-remove` and `secret-expired`. */
export interface SecretContext {
  readonly id: string;
  readonly label: string | null;
  readonly revision: number | null;
}

/** The storage instance (`data/0`) a hook is about. */
export interface StorageContext {
  readonly id: string;
  readonly location: string | null;
  /** `filesystem` or `block`. */
  readonly kind: string | null;
}

/** The model's `juju-*-proxy` settings. */
export interface CharmProxies {
  readonly http: string | null;
  readonly https: string | null;
  readonly ftp: string | null;
  readonly no: string | null;
}

/** Everything a dispatch knows before it asks the agent anything. An empty variable counts as unset: `null`. */
export interface JujuContext {
  readonly unit: string;
  readonly application: string;
  readonly model: { readonly name: string; readonly uuid: string };
  readonly machineId: string | null;
  readonly availabilityZone: string | null;
  /** The unit that we are subordinate to; `null` for a principal. */
  readonly principalUnit: string | null;
  /** The base that the machine is about to get, in `pre-series-upgrade` only (until Juju 3). */
  readonly targetBase: string | null;
  readonly version: JujuVersion;
  readonly charmDir: string;
  /** `hooks/install`, `actions/run`, `run`; `null` when a `juju-exec` command set none. */
  readonly dispatchPath: string | null;
  /** Last part of the dispatch path with `_` as `-`; `-action` appended for an action; may be empty. */
  readonly eventName: string;
  readonly relation: RelationContext | null;
  /** Decided from the dispatch path alone: a client's `juju exec` also sets `JUJU_ACTION_*`. */
  readonly action: ActionContext | null;
  readonly secret: SecretContext | null;
  readonly storage: StorageContext | null;
  readonly proxies: CharmProxies;
  /** What a hook command needs of the environment: `JUJU_*`, `PATH`, `LANG`. */
  readonly toolEnvironment: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

function required(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === "")
    throw new AppError(`cannot read the Juju context: ${name} is not set`);
  return value;
}

function optional(env: Environment, name: string): string | null {
  const value = env[name];
  return value === undefined || value === "" ? null : value;
}

/** The application of `unit`: `runner/3` is of `runner`. */
export function applicationOf(unit: string): string {
  return unit.slice(0, Math.max(0, unit.lastIndexOf("/"))) || unit;
}

/** Reads `endpoint:7`; throws AppError for any other text. */
export function parseRelationId(text: string): RelationRef {
  const match = /^([^:]+):(\d+)$/.exec(text);
  if (match === null) throw new AppError(`cannot read the relation id "${text}": it is not endpoint:number`);
  return { endpoint: match[1] ?? "", id: Number(match[2]) };
}

/** `endpoint:7`, the form in which hook commands take a relation. */
export function relationKey(relation: RelationRef): string {
  return `${relation.endpoint}:${relation.id}`;
}

function relationOf(env: Environment): RelationContext | null {
  const id = optional(env, "JUJU_RELATION_ID");
  if (id === null) return null;
  const remoteUnit = optional(env, "JUJU_REMOTE_UNIT");
  return Object.freeze({
    ...parseRelationId(id),
    remoteUnit,
    remoteApplication:
      optional(env, "JUJU_REMOTE_APP") ?? (remoteUnit === null ? null : applicationOf(remoteUnit)),
    departingUnit: optional(env, "JUJU_DEPARTING_UNIT"),
  });
}

function secretOf(env: Environment): SecretContext | null {
  const id = optional(env, "JUJU_SECRET_ID");
  if (id === null) return null;
  const revision = optional(env, "JUJU_SECRET_REVISION");
  return Object.freeze({
    id,
    label: optional(env, "JUJU_SECRET_LABEL"),
    revision: revision === null ? null : Number(revision),
  });
}

function storageOf(env: Environment): StorageContext | null {
  const id = optional(env, "JUJU_STORAGE_ID");
  return id === null
    ? null
    : Object.freeze({
        id,
        location: optional(env, "JUJU_STORAGE_LOCATION"),
        kind: optional(env, "JUJU_STORAGE_KIND"),
      });
}

function toolEnvironmentOf(env: Environment): Readonly<Record<string, string>> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (name.startsWith("JUJU_") || name === "PATH" || name === "LANG") picked[name] = value;
  }
  return Object.freeze(picked);
}

/**
 * Reads the agent's environment into a frozen context. Throws AppError naming the variable when one that
 * the agent always sets is missing, as it is when the program is started by hand.
 */
export function contextFromEnvironment(env: Environment): JujuContext {
  const unit = required(env, "JUJU_UNIT_NAME");
  const dispatchPath = optional(env, "JUJU_DISPATCH_PATH");
  const segments = (dispatchPath ?? "").split("/");
  const name = segments.at(-1) ?? "";
  const isAction = segments.at(-2) === "actions";
  return Object.freeze({
    unit,
    application: applicationOf(unit),
    model: Object.freeze({ name: required(env, "JUJU_MODEL_NAME"), uuid: required(env, "JUJU_MODEL_UUID") }),
    machineId: optional(env, "JUJU_MACHINE_ID"),
    availabilityZone: optional(env, "JUJU_AVAILABILITY_ZONE"),
    principalUnit: optional(env, "JUJU_PRINCIPAL_UNIT"),
    targetBase: optional(env, "JUJU_TARGET_BASE"),
    version: jujuVersion(optional(env, "JUJU_VERSION")),
    charmDir: optional(env, "JUJU_CHARM_DIR") ?? required(env, "CHARM_DIR"),
    dispatchPath,
    eventName: `${name.replaceAll("_", "-")}${isAction ? "-action" : ""}`,
    relation: relationOf(env),
    action: isAction ? Object.freeze({ name, id: optional(env, "JUJU_ACTION_UUID") }) : null,
    secret: secretOf(env),
    storage: storageOf(env),
    proxies: Object.freeze({
      http: optional(env, "JUJU_CHARM_HTTP_PROXY"),
      https: optional(env, "JUJU_CHARM_HTTPS_PROXY"),
      ftp: optional(env, "JUJU_CHARM_FTP_PROXY"),
      no: optional(env, "JUJU_CHARM_NO_PROXY"),
    }),
    toolEnvironment: toolEnvironmentOf(env),
  });
}
