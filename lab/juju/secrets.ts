/** Secrets: owners, revisions, grants, and who tracks what (contract 3.2, "Secret keys"). */
import { randomBytes } from "node:crypto";
import type { Application, Model, Unit } from "./model.ts";
import { CommandFailure, UsageFailure } from "./failures.ts";

/** Whose secret it is: the admin's (`user`), or a charm's application or unit. */
export interface SecretOwner {
  readonly kind: "user" | "application" | "unit";
  readonly name: string;
}

/** A secret's settings; `expire` and `rotates` are times in ISO 8601, empty for never. */
export interface SecretMetadata {
  readonly label: string;
  readonly description: string;
  readonly rotate: string;
  readonly expire: string;
  readonly rotates: string;
}

/** The settings of a secret for which none were given. */
export const NO_METADATA: SecretMetadata = {
  label: "",
  description: "",
  rotate: "never",
  expire: "",
  rotates: "",
};

/** Content: key to base64 text. */
export type SecretContent = ReadonlyMap<string, string>;

/** What one consumer unit has read. */
export interface SecretConsumer {
  readonly tracked: number;
  readonly label: string;
}

/** One secret. Grants go from an application's or unit's name to the relation id they hang on (none for a user's). */
export interface Secret {
  readonly id: string;
  readonly owner: SecretOwner;
  metadata: SecretMetadata;
  readonly revisions: Map<number, SecretContent>;
  latest: number;
  readonly grants: Map<string, number | undefined>;
  readonly consumers: Map<string, SecretConsumer>;
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** A new id in the form of an xid: 20 characters. */
export function newSecretId(): string {
  return [...randomBytes(20)].map((byte) => ALPHABET.charAt(byte % 32)).join("");
}

/** The id in `id`, `secret:id` or `secret://<model>/id`. Throws a UsageFailure for anything else. */
export function secretId(text: string): string {
  const id = /^(?:secret:)?(?:\/\/[0-9a-f-]+\/)?([0-9a-z]{20})$/.exec(text)?.[1];
  if (id === undefined) throw new UsageFailure(`secret URI ${JSON.stringify(text)} not valid`);
  return id;
}

/** Checks the keys and encodes the values of `data`. */
export function encodeContent(data: Iterable<readonly [string, string]>): SecretContent {
  return new Map(
    [...data].map(([key, value]) => {
      checkSecretKey(key);
      return [key, Buffer.from(value).toString("base64")];
    }),
  );
}

/** The values of `content` as texts. */
export function decodeContent(content: SecretContent): Record<string, string> {
  return Object.fromEntries(
    [...content].map(([key, text]) => [key, Buffer.from(text, "base64").toString("utf8")]),
  );
}

/** A secret of the model's admin, granted to nobody. */
export function newUserSecret(modelName: string, content: SecretContent): Secret {
  return {
    id: newSecretId(),
    owner: { kind: "user", name: modelName },
    metadata: NO_METADATA,
    revisions: new Map([[1, content]]),
    latest: 1,
    grants: new Map(),
    consumers: new Map(),
  };
}

/** Throws unless `key` is fit for a secret. */
export function checkSecretKey(key: string): void {
  if (!/^([a-z](?:-?[a-z0-9]){2,})$/.test(key))
    throw new UsageFailure(`key ${JSON.stringify(key)} not valid`);
}

/** Whether `unit` may change the secret: its owner, or the leader of its owner. */
export function mayManage(secret: Secret, unit: Unit): boolean {
  const { kind, name } = secret.owner;
  if (kind === "unit") return name === unit.name;
  return kind === "application" && name === unit.application.name && unit.application.leader === unit.name;
}

/** Whether `unit` may read the secret. */
export function mayRead(secret: Secret, unit: Unit): boolean {
  const { kind, name } = secret.owner;
  if (kind === "unit" && name === unit.name) return true;
  if (kind === "application" && name === unit.application.name) return true;
  return secret.grants.has(unit.name) || secret.grants.has(unit.application.name);
}

/** The secret called `text` (any form of id), for reading by `unit`; `permission denied` and `not found` as Juju's. */
export function readableSecret(model: Model, unit: Unit, id: string): Secret {
  const secret = model.secrets.get(id);
  if (secret === undefined) throw new CommandFailure(`secret "${id}" not found`);
  if (!mayRead(secret, unit)) throw new CommandFailure("permission denied");
  return secret;
}

/** The secrets that `application` (and `unit` of it) owns. */
export function ownedSecrets(model: Model, application: Application, unit: Unit): readonly Secret[] {
  return [...model.secrets.values()].filter(
    ({ owner: { kind, name } }) =>
      (kind === "application" && name === application.name) || (kind === "unit" && name === unit.name),
  );
}

/** Old revisions that no consumer tracks any more. */
export function obsoleteRevisions(secret: Secret): readonly number[] {
  const tracked = new Set([...secret.consumers.values()].map((consumer) => consumer.tracked));
  return [...secret.revisions.keys()].filter(
    (revision) => revision !== secret.latest && !tracked.has(revision),
  );
}

/** Adds `content` as the newest revision. */
export function addRevision(secret: Secret, content: SecretContent): void {
  secret.latest += 1;
  secret.revisions.set(secret.latest, content);
}
