/** What happens to the unit: every hook, custom event and action, made by one builder each. */
import type { PeerRelation, Relation, Secret, Storage } from "./state.ts";

/** Hooks about the unit as a whole. */
export const UNIT_HOOKS = [
  "install",
  "upgrade-charm",
  "config-changed",
  "start",
  "stop",
  "remove",
  "update-status",
  "leader-elected",
  "leader-settings-changed",
] as const;

/** Hooks about one relation, without the endpoint's name before them. */
export const RELATION_HOOKS = [
  "relation-created",
  "relation-joined",
  "relation-changed",
  "relation-departed",
  "relation-broken",
] as const;

/** Hooks about one secret. */
export const SECRET_HOOKS = ["secret-changed", "secret-remove", "secret-rotate", "secret-expired"] as const;

/** Hooks about one storage instance, without its name before them. */
export const STORAGE_HOOKS = ["storage-attached", "storage-detaching"] as const;

/** A hook about the unit, or (`other`) any name at all, as a newer Juju may send. */
export interface UnitEvent {
  readonly kind: (typeof UNIT_HOOKS)[number] | "other";
  /** Name of the hook. */
  readonly name: string;
}

/** A hook about one relation of the state, known by its id. */
export interface RelationEvent {
  readonly kind: (typeof RELATION_HOOKS)[number];
  readonly id: number;
  readonly endpoint: string;
  /** Null in created and broken, and in changed when an application's databag changed. */
  readonly remoteUnit: string | null;
  /** In departed alone: the unit that leaves; ours when it is the one. */
  readonly departingUnit: string | null;
}

/** A hook about one secret of the state, known by its id. */
export interface SecretEvent {
  readonly kind: (typeof SECRET_HOOKS)[number];
  readonly id: string;
  /** In remove and expired alone. */
  readonly revision: number | null;
}

/** A hook about one storage instance of the state. */
export interface StorageEvent {
  readonly kind: (typeof STORAGE_HOOKS)[number];
  readonly name: string;
  readonly index: number;
}

/** A dispatch that the charm asked for itself, through `juju-exec` with `JUJU_DISPATCH_PATH=<name>`. */
export interface CustomEvent {
  readonly kind: "custom";
  readonly name: string;
}

/** An operator's action; Juju adds the defaults of its schema to `parameters`. */
export interface ActionEvent {
  readonly kind: "action";
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Everything that can be run. */
export type ScenarioEvent =
  | UnitEvent
  | RelationEvent
  | SecretEvent
  | StorageEvent
  | CustomEvent
  | ActionEvent;

type AnyRelation = Pick<Relation | PeerRelation, "id" | "endpoint">;

const unitEvent = (kind: (typeof UNIT_HOOKS)[number]) => (): UnitEvent => ({ kind, name: kind });
const relationEvent = (
  kind: RelationEvent["kind"],
  { id, endpoint }: AnyRelation,
  remoteUnit: string | null,
  departingUnit: string | null = null,
): RelationEvent => ({ kind, id, endpoint, remoteUnit, departingUnit });
const secretEvent = (
  kind: SecretEvent["kind"],
  { id }: Pick<Secret, "id">,
  revision: number | null = null,
): SecretEvent => ({ kind, id, revision });
const storageEvent = (
  kind: StorageEvent["kind"],
  { name, index }: Pick<Storage, "name" | "index">,
): StorageEvent => ({ kind, name, index });

/**
 * One builder per event. Those about a relation, secret or storage take the one of the state by its id: what is
 * in it is read from the state that the event runs in.
 */
export const event = {
  install: unitEvent("install"),
  upgradeCharm: unitEvent("upgrade-charm"),
  configChanged: unitEvent("config-changed"),
  start: unitEvent("start"),
  stop: unitEvent("stop"),
  remove: unitEvent("remove"),
  updateStatus: unitEvent("update-status"),
  leaderElected: unitEvent("leader-elected"),
  leaderSettingsChanged: unitEvent("leader-settings-changed"),
  relationCreated: (relation: AnyRelation) => relationEvent("relation-created", relation, null),
  relationJoined: (relation: AnyRelation, unit: string) => relationEvent("relation-joined", relation, unit),
  /** Without `unit` the remote application's databag has changed. */
  relationChanged: (relation: AnyRelation, unit: string | null = null) =>
    relationEvent("relation-changed", relation, unit),
  /** `unit` is no longer listed, but what it wrote can be read. `departing` is our unit when we leave. */
  relationDeparted: (relation: AnyRelation, unit: string, departing: string = unit) =>
    relationEvent("relation-departed", relation, unit, departing),
  relationBroken: (relation: AnyRelation) => relationEvent("relation-broken", relation, null),
  secretChanged: (secret: Pick<Secret, "id">) => secretEvent("secret-changed", secret),
  secretRotate: (secret: Pick<Secret, "id">) => secretEvent("secret-rotate", secret),
  secretRemove: (secret: Pick<Secret, "id">, revision: number) =>
    secretEvent("secret-remove", secret, revision),
  secretExpired: (secret: Pick<Secret, "id">, revision: number) =>
    secretEvent("secret-expired", secret, revision),
  storageAttached: (storage: Pick<Storage, "name" | "index">) => storageEvent("storage-attached", storage),
  storageDetaching: (storage: Pick<Storage, "name" | "index">) => storageEvent("storage-detaching", storage),
  custom: (name: string): CustomEvent => ({ kind: "custom", name }),
  action: (name: string, parameters: Readonly<Record<string, unknown>> = {}): ActionEvent => ({
    kind: "action",
    name,
    parameters,
  }),
  /** A hook that this kit has no builder for. */
  hook: (name: string): UnitEvent => ({ kind: "other", name }),
} as const;

/** The event's name as a hook has it (`image-relation-changed`), or the name of the action or custom event. */
export function nameOf(happening: ScenarioEvent): string {
  if ("endpoint" in happening) return `${happening.endpoint}-${happening.kind}`;
  if ("index" in happening) return `${happening.name}-${happening.kind}`;
  return "name" in happening ? happening.name : happening.kind;
}

/** The event as a person reads it: `image-relation-changed of relation 3 for runner/0`. */
export function describeEvent(happening: ScenarioEvent): string {
  const name = nameOf(happening);
  if (happening.kind === "action") return `the action ${name}`;
  if (happening.kind === "custom") return `the custom event ${name}`;
  if ("endpoint" in happening) {
    const unit = happening.remoteUnit === null ? "" : ` for ${happening.remoteUnit}`;
    return `${name} of relation ${happening.id}${unit}`;
  }
  if ("revision" in happening) {
    return `${name} of secret ${happening.id}${happening.revision === null ? "" : ` revision ${happening.revision}`}`;
  }
  return "index" in happening ? `${name} of ${happening.name}/${happening.index}` : name;
}
