/** Hook commands about secrets. Content never appears in an argument: the agent reads it from files (juju-rules 3.2). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../base/errors.ts";
import { registerSecret } from "../../base/redact.ts";
import { relationKey, type RelationRef } from "../context.ts";
import { toList, toObject, toObjects, toOptionalText, toText, toTexts } from "../decode.ts";
import { requireVersion, runJson, type HookTool } from "../hook-tool.ts";

/** First Juju whose secrets can be relied on; `--refresh` was still called `--update` before 3.0.2. */
const FIRST_VERSION = "3.0.3";

/** Content of a secret: keys of at least three lower-case letters, digits and dashes. */
export type SecretContent = Readonly<Record<string, string>>;

/** A secret by its id (any spelling), or by the label that this application gave it. */
export type SecretRef = { readonly id: string } | { readonly label: string };

/** Which revision: the tracked one, the newest (`peek`), or the newest and track it from now on (`refresh`). */
export type SecretRead = "tracked" | "peek" | "refresh";

/** How often Juju asks the owner to rotate. */
export type RotatePolicy = "never" | "hourly" | "daily" | "weekly" | "monthly" | "quarterly" | "yearly";

/** What a secret is, beside its content. `expire` is RFC 3339 or a Go duration. */
export interface SecretMetadata {
  readonly label?: string;
  readonly description?: string;
  readonly rotate?: RotatePolicy;
  readonly expire?: string;
}

/** What its owner can learn of a secret. */
export interface SecretInfo {
  readonly id: string;
  readonly revision: number;
  readonly label: string | null;
  readonly owner: "application" | "unit";
  readonly description: string | null;
  readonly rotation: string | null;
  readonly expiry: string | null;
  /** Whom it was granted to: tags such as `application-runner`, with the relation's tag as scope. */
  readonly access: readonly { readonly target: string; readonly scope: string; readonly role: string }[];
}

/** Whose grant to take back: everybody's on a relation, an application's, or one unit's. */
export type GrantHolder =
  | { readonly relation: RelationRef }
  | { readonly application: string }
  | { readonly unit: string };

/** A secret's URI as an operator gives it: `secret:id` or `secret://model/id`, where an id is 20 of 0-9a-z (xid). */
const SECRET_URI = /^secret:(?:\/\/[0-9a-f-]+\/)?[0-9a-z]{20}$/;

/** Whether `text` is a secret's URI; a bare id is not, since any word of its length would be one. */
export const isSecretUri = (text: string): boolean => SECRET_URI.test(text);

/** The 20-character id in `secret:id`, `secret://model/id` or a bare id. Compare ids, not URIs. Throws AppError for other text. */
export function canonicalSecretId(text: string): string {
  const match = /^(?:secret:(?:\/\/[0-9a-f-]+\/)?)?([0-9a-z]{20})$/.exec(text.trim());
  if (match === null)
    throw new AppError(`cannot use "${text.slice(0, 80)}" as a secret: it is not a secret URI`);
  return match[1] ?? "";
}

/**
 * The content of a secret; every value is redacted from logs from then on. The first read of any kind but
 * `peek` tracks the newest revision. Throws HookCommandError `secret-not-found` or, when the secret exists
 * but was not granted, `permission-denied`.
 */
export async function secretGet(tool: HookTool, secret: SecretRef, read: SecretRead): Promise<SecretContent> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  const mode = read === "tracked" ? [] : [`--${read}`];
  const content = toTexts(await runJson(tool, "secret-get", [...mode, ...reference(secret)]), "secret-get");
  for (const value of Object.values(content)) registerSecret(value);
  return content;
}

/** What the owner knows of a secret; `secret-not-found` for everybody else. */
export async function secretInfoGet(tool: HookTool, secret: SecretRef): Promise<SecretInfo> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  const answer = toObject(await runJson(tool, "secret-info-get", reference(secret)), "secret-info-get");
  const [entry] = Object.entries(answer);
  if (entry === undefined)
    throw new AppError("cannot read the output of secret-info-get: it names no secret");
  const [id, raw] = entry;
  const info = toObject(raw, "secret-info-get");
  return {
    id: canonicalSecretId(id),
    revision: Number(info["revision"]),
    label: toOptionalText(info["label"], "secret-info-get"),
    owner: info["owner"] === "unit" ? "unit" : "application",
    description: toOptionalText(info["description"], "secret-info-get"),
    rotation: toOptionalText(info["rotation"], "secret-info-get"),
    expiry: toOptionalText(info["expiry"], "secret-info-get"),
    access: toObjects(info["access"], "secret-info-get").map((grant) => ({
      target: toText(grant["target"], "secret-info-get"),
      scope: toText(grant["scope"], "secret-info-get"),
      role: toText(grant["role"], "secret-info-get"),
    })),
  };
}

/** The ids of the secrets that this application or unit owns. */
export async function secretIds(tool: HookTool): Promise<readonly string[]> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  return toList(await runJson(tool, "secret-ids", []), "secret-ids").map(canonicalSecretId);
}

/** Makes a secret when the hook commits and gives its URI. An application's secret needs the leader. */
export async function secretAdd(
  tool: HookTool,
  owner: "application" | "unit",
  content: SecretContent,
  metadata: SecretMetadata,
): Promise<string> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  return await withContentFiles(content, async (files) => {
    const output = await tool.run("secret-add", [
      "--owner",
      owner,
      ...metadataFlags(metadata),
      "--",
      ...files,
    ]);
    return output.trim();
  });
}

/** Gives a secret new content, metadata or both when the hook commits; an unknown id fails only then. */
export async function secretSet(
  tool: HookTool,
  id: string,
  content: SecretContent,
  metadata: SecretMetadata,
): Promise<void> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  await withContentFiles(content, async (files) => {
    await tool.run("secret-set", [...metadataFlags(metadata), "--", id, ...files]);
  });
}

/** Lets the other side of `relation` (one `unit` of it, or all) read a secret that we own. */
export async function secretGrant(
  tool: HookTool,
  id: string,
  relation: RelationRef,
  unit?: string,
): Promise<void> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  const flags = unit === undefined ? [] : ["--unit", unit];
  await tool.run("secret-grant", ["-r", relationKey(relation), ...flags, "--", id]);
}

/** Takes a grant back; silent when there was none. */
export async function secretRevoke(tool: HookTool, id: string, holder: GrantHolder): Promise<void> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  await tool.run("secret-revoke", [...holderFlags(holder), "--", id]);
}

/** Removes a secret that we own, or one `revision` of it. */
export async function secretRemove(tool: HookTool, id: string, revision?: number): Promise<void> {
  requireVersion(tool, FIRST_VERSION, "secrets");
  await tool.run("secret-remove", [
    ...(revision === undefined ? [] : ["--revision", String(revision)]),
    "--",
    id,
  ]);
}

/** Throws AppError naming the keys that Juju would refuse. */
export function checkSecretKeys(content: SecretContent): void {
  const bad = Object.keys(content).filter((key) => !/^[a-z](?:-?[a-z0-9]){2,}$/.test(key));
  if (bad.length === 0) return;
  throw new AppError(
    `cannot write a secret with the keys ${bad.join(", ")}: a key has 3 or more of a-z, 0-9 and -`,
  );
}

function reference(secret: SecretRef): readonly string[] {
  return "id" in secret ? ["--", secret.id] : ["--label", secret.label];
}

function holderFlags(holder: GrantHolder): readonly string[] {
  if ("relation" in holder) return ["-r", relationKey(holder.relation)];
  return "unit" in holder ? ["--unit", holder.unit] : ["--app", holder.application];
}

function metadataFlags({ label, description, rotate, expire }: SecretMetadata): readonly string[] {
  const flag = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [name, value];
  return [
    ...flag("--label", label),
    ...flag("--description", description),
    ...flag("--rotate", rotate),
    ...flag("--expire", expire),
  ];
}

/** Files in a folder of mode 0700 (mkdtemp's), for `key#file=path`; gone when `run` ends. */
async function withContentFiles<T>(
  content: SecretContent,
  run: (parameters: readonly string[]) => Promise<T>,
): Promise<T> {
  checkSecretKeys(content);
  const entries = Object.entries(content);
  if (entries.length === 0) return await run([]);
  const folder = await mkdtemp(join(tmpdir(), "secret-"));
  try {
    for (const [key, value] of entries) {
      registerSecret(value);
      await writeFile(join(folder, key), value, { mode: 0o600 });
    }
    return await run(entries.map(([key]) => `${key}#file=${join(folder, key)}`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
