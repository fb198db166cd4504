/**
 * Writes wait in memory until the handler has succeeded. Juju discards a failing hook's writes itself, but
 * `juju-exec` commits even when its command fails (juju-rules 1.4), so a run that dies half-way
 * must not have issued any.
 */
import { AppError } from "../base/errors.ts";
import { relationKey, type RelationRef } from "./context.ts";
import {
  canonicalSecretId,
  checkSecretKeys,
  type SecretContent,
  type SecretMetadata,
} from "./hook-commands/secret.ts";
import type { Port } from "./hook-commands/machine.ts";
import { settingsFile } from "./settings-file.ts";

/** A secret that will be made at the end of the dispatch; stands for its URI in a databag until then. */
export interface NewSecret {
  readonly newSecret: number;
  readonly owner: "application" | "unit";
  readonly content: SecretContent;
  readonly metadata: SecretMetadata;
}

/** A new value of a databag key: text, nothing (`null` deletes the key), or the URI of a secret yet to be made. */
export type Setting = string | null | NewSecret;

/** Queued changes of one databag of ours. */
export interface DatabagChanges {
  readonly relation: RelationRef;
  readonly scope: "unit" | "application";
  readonly changes: Map<string, Setting>;
}

/** Queued changes of a secret that we own; the last content and the last value of each metadata field win. */
export interface SecretChanges {
  content: SecretContent | null;
  metadata: SecretMetadata;
}

/** A queued grant, revoke or removal. */
export type SecretOrder =
  | {
      readonly order: "grant";
      readonly secret: string | NewSecret;
      readonly relation: RelationRef;
      readonly unit: string | null;
    }
  | { readonly order: "revoke"; readonly secret: string; readonly relation: RelationRef }
  | { readonly order: "remove"; readonly secret: string; readonly revision: number | null };

/** All transactional writes of one dispatch, in the order of asking. Secrets are keyed by canonical id. */
export interface Writes {
  readonly databags: Map<string, DatabagChanges>;
  readonly newSecrets: NewSecret[];
  readonly secrets: Map<string, SecretChanges>;
  readonly secretOrders: SecretOrder[];
  /** `null` deletes the key. */
  readonly state: Map<string, string | null>;
  /** `true` opens the port. */
  readonly ports: Map<Port, boolean>;
  /** How many more instances of each storage. */
  readonly storages: Map<string, number>;
  /** After the hook's success, once. */
  readonly orders: Set<"reboot">;
}

/** No writes yet. */
export function emptyWrites(): Writes {
  return {
    databags: new Map(),
    newSecrets: [],
    secrets: new Map(),
    secretOrders: [],
    state: new Map(),
    ports: new Map(),
    storages: new Map(),
    orders: new Set(),
  };
}

/** Names a databag of ours among the queued writes. */
export function databagKey(relation: RelationRef, scope: "unit" | "application"): string {
  return `${relationKey(relation)} ${scope}`;
}

/** What a setting reads as; a secret yet to be made has no URI, so it reads as a stand-in. */
export function settingText(setting: Setting): string {
  if (setting === null) return "";
  return typeof setting === "string" ? setting : `secret:new-${setting.newSecret}`;
}

/** Queues changes of a databag. Throws AppError now for text that Juju could not carry. */
export function queueSettings(
  writes: Writes,
  relation: RelationRef,
  scope: "unit" | "application",
  changes: Readonly<Record<string, Setting>>,
): void {
  settingsFile(Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, settingText(value)])));
  const key = databagKey(relation, scope);
  const queued = writes.databags.get(key) ?? { relation, scope, changes: new Map<string, Setting>() };
  for (const [name, value] of Object.entries(changes)) queued.changes.set(name, value === "" ? null : value);
  writes.databags.set(key, queued);
}

/** `current` with the queued changes of that databag applied. */
export function withQueued(
  writes: Writes,
  relation: RelationRef,
  scope: "unit" | "application",
  current: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const queued = writes.databags.get(databagKey(relation, scope));
  return queued === undefined ? current : merged(current, queued.changes);
}

/** `current` with `changes` applied; `null` removes. */
export function merged(
  current: Readonly<Record<string, string>>,
  changes: ReadonlyMap<string, Setting>,
): Readonly<Record<string, string>> {
  const result = { ...current };
  for (const [key, value] of changes) {
    if (value === null) delete result[key];
    else result[key] = settingText(value);
  }
  return result;
}

/** Queues a new secret. Throws AppError for keys that Juju would refuse, or no content at all. */
export function queueNewSecret(
  writes: Writes,
  owner: "application" | "unit",
  content: SecretContent,
  metadata: SecretMetadata,
): NewSecret {
  checkSecretKeys(content);
  if (Object.keys(content).length === 0) throw new AppError("cannot make a secret without content");
  const secret: NewSecret = { newSecret: writes.newSecrets.length + 1, owner, content, metadata };
  writes.newSecrets.push(secret);
  return secret;
}

/** Queues new content, metadata or both for a secret of ours; several calls become one (older Jujus keep only the last). */
export function queueSecretChange(
  writes: Writes,
  id: string,
  content: SecretContent | null,
  metadata: SecretMetadata,
): void {
  if (content !== null) checkSecretKeys(content);
  const key = canonicalSecretId(id);
  const queued = writes.secrets.get(key) ?? { content: null, metadata: {} };
  writes.secrets.set(key, {
    content: content ?? queued.content,
    metadata: { ...queued.metadata, ...metadata },
  });
}

/** Limits of the controller's charm state. */
const MAX_STATE_KEY_BYTES = 256;
const MAX_STATE_VALUE_BYTES = 65_536;

/** Queues a change of the charm's state; `null` deletes. Throws AppError for what is over Juju's limits. */
export function queueState(writes: Writes, key: string, value: string | null): void {
  settingsFile({ [key]: value ?? "" });
  if (
    Buffer.byteLength(key) > MAX_STATE_KEY_BYTES ||
    Buffer.byteLength(value ?? "") > MAX_STATE_VALUE_BYTES
  ) {
    throw new AppError(
      `cannot keep the state "${key.slice(0, 40)}": a key may have 256 bytes, a value 64 KiB`,
    );
  }
  writes.state.set(key, value);
}
