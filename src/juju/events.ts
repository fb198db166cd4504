/** The event of this dispatch as one typed value (juju-rules 1.3, 1.5). */
import { AppError } from "../base/errors.ts";
import type { JujuContext, RelationRef } from "./context.ts";

const LIFECYCLE = [
  "install",
  "start",
  "stop",
  "remove",
  "config-changed",
  "upgrade-charm",
  "update-status",
  "leader-elected",
  "leader-settings-changed",
  "pre-series-upgrade",
  "post-series-upgrade",
] as const;
const RELATION = [
  "relation-created",
  "relation-joined",
  "relation-changed",
  "relation-departed",
  "relation-broken",
] as const;
const SECRET = ["secret-changed", "secret-rotate", "secret-expired", "secret-remove"] as const;
const STORAGE = ["storage-attached", "storage-detaching"] as const;

/** A hook that is about the unit as a whole. */
export interface LifecycleEvent {
  readonly kind: (typeof LIFECYCLE)[number];
}

/** A hook about one relation. */
export interface RelationEvent {
  readonly kind: (typeof RELATION)[number];
  readonly relation: RelationRef;
  readonly remoteApplication: string | null;
  /** `null` in created, broken and when only the application's databag changed. */
  readonly remoteUnit: string | null;
  /** The unit that leaves, in `relation-departed` only. */
  readonly departingUnit: string | null;
}

/** A hook about one secret; `revision` is given in `secret-expired` and `secret-remove`. */
export interface SecretEvent {
  readonly kind: (typeof SECRET)[number];
  readonly secret: { readonly id: string; readonly label: string | null };
  readonly revision: number | null;
}

/** A hook about one storage instance; `id` is `name/number`. */
export interface StorageEvent {
  readonly kind: (typeof STORAGE)[number];
  readonly storage: { readonly id: string; readonly name: string; readonly location: string | null };
}

/** An operator's action. */
export interface ActionEvent {
  readonly kind: "action";
  readonly name: string;
  readonly id: string | null;
}

/** A dispatch that we asked for ourselves, through `juju-exec` with `JUJU_DISPATCH_PATH=name`. */
export interface CustomEvent {
  readonly kind: "custom";
  readonly name: string;
}

/** A hook that this charm or framework does not know; never an error, so that charm roll-backs work. */
export interface UnknownEvent {
  readonly kind: "unknown";
  readonly name: string;
}

/** Every event of a machine charm, told apart by `kind`. */
export type JujuEvent =
  | LifecycleEvent
  | RelationEvent
  | SecretEvent
  | StorageEvent
  | ActionEvent
  | CustomEvent
  | UnknownEvent;

/** The kinds that are Juju hooks: all but actions, custom and unknown events. */
export type HookKind = Exclude<JujuEvent["kind"], "action" | "custom" | "unknown">;

/** The event type of one hook kind. */
export type HookEvent<Kind extends HookKind> = Extract<JujuEvent, { readonly kind: HookKindsOf<Kind> }> & {
  readonly kind: Kind;
};
type HookKindsOf<Kind extends HookKind> = Kind extends LifecycleEvent["kind"]
  ? LifecycleEvent["kind"]
  : Kind extends RelationEvent["kind"]
    ? RelationEvent["kind"]
    : Kind extends SecretEvent["kind"]
      ? SecretEvent["kind"]
      : StorageEvent["kind"];

/** What of the charm's metadata decides which hooks exist. */
export interface CharmMetadata {
  /** Names under `provides`, `requires` and `peers`. */
  readonly endpoints: readonly string[];
  /** Names under `storage`. */
  readonly storages: readonly string[];
}

function endingIn<Kind extends string>(name: string, kinds: readonly Kind[]): Kind | undefined {
  return kinds.find((kind) => name.endsWith(`-${kind}`));
}

function incomplete(context: JujuContext, variable: string): AppError {
  return new AppError(`cannot tell what ${context.eventName} is about: ${variable} is not set`);
}

/** The event of `context`. Throws AppError when the agent left out what the hook is about. */
export function eventOf(context: JujuContext, metadata: CharmMetadata): JujuEvent {
  const { eventName: name, action, dispatchPath } = context;
  if (action !== null) return { kind: "action", name: action.name, id: action.id };
  const unknown: UnknownEvent = { kind: "unknown", name };

  const lifecycle = LIFECYCLE.find((kind) => kind === name);
  if (lifecycle !== undefined) return { kind: lifecycle };

  const secret = SECRET.find((kind) => kind === name);
  if (secret !== undefined) {
    if (context.secret === null) throw incomplete(context, "JUJU_SECRET_ID");
    const { id, label, revision } = context.secret;
    return { kind: secret, secret: { id, label }, revision };
  }

  const relation = endingIn(name, RELATION);
  if (relation !== undefined) {
    if (context.relation === null) throw incomplete(context, "JUJU_RELATION_ID");
    const { id, endpoint, remoteApplication, remoteUnit, departingUnit } = context.relation;
    if (!metadata.endpoints.includes(endpoint)) return unknown;
    return { kind: relation, relation: { id, endpoint }, remoteApplication, remoteUnit, departingUnit };
  }

  const storage = endingIn(name, STORAGE);
  if (storage !== undefined) {
    if (context.storage === null) throw incomplete(context, "JUJU_STORAGE_ID");
    const { id, location } = context.storage;
    const storageName = id.slice(0, id.lastIndexOf("/"));
    if (!metadata.storages.includes(storageName)) return unknown;
    return { kind: storage, storage: { id, name: storageName, location } };
  }

  const isBare = dispatchPath !== null && !dispatchPath.includes("/");
  return isBare ? { kind: "custom", name } : unknown;
}
