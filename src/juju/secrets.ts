/** Secrets that this unit reads or owns (juju-rules 3.2). */
import type { RelationRef } from "./context.ts";
import { isSecretDenied, isSecretNotFound } from "./errors.ts";
import type { HookTool } from "./hook-tool.ts";
import {
  canonicalSecretId,
  secretGet,
  secretInfoGet,
  type SecretContent,
  type SecretInfo,
  type SecretMetadata,
  type SecretRead,
  type SecretRef,
} from "./hook-commands/secret.ts";
import { once } from "./once.ts";
import { queueSecretChange, type Writes } from "./writes.ts";

/**
 * A secret by id or label, read lazily. The reads throw HookCommandError `secret-not-found` or
 * `permission-denied` (it exists, nobody granted it; granting later fires no hook).
 */
export interface Secret {
  /** The revision this unit tracks; the first read tracks the newest. Queued content of our own is seen. */
  readonly tracked: () => Promise<SecretContent>;
  /** The newest revision, without tracking it. */
  readonly peek: () => Promise<SecretContent>;
  /** The newest revision, tracked from now on: at once, even when the hook fails. */
  readonly refresh: () => Promise<SecretContent>;
  /** For the owner only. */
  readonly info: () => Promise<SecretInfo>;
  /** Queues new content; nothing is written when it equals the newest revision. */
  readonly setContent: (content: SecretContent) => Promise<void>;
  readonly setMetadata: (metadata: SecretMetadata) => Promise<void>;
  readonly grant: (relation: RelationRef, unit?: string) => Promise<void>;
  readonly revoke: (relation: RelationRef) => Promise<void>;
  /** Queues the removal of one revision, or of all. */
  readonly remove: (revision?: number) => Promise<void>;
}

/**
 * Whether the secrets with these ids may still be read. Their tracked revisions are: a newer one comes with an event,
 * as long as nobody tracks it before.
 */
export async function areReadable(tool: HookTool, ids: readonly string[]): Promise<boolean> {
  try {
    await Promise.all(ids.map((id) => secretGet(tool, { id }, "tracked")));
    return true;
  } catch (error) {
    if (isSecretDenied(error) || isSecretNotFound(error)) return false;
    throw error;
  }
}

/** Opens secrets; two spellings of one id share their answers. Throws AppError for text that is no secret URI. */
export function secretOpener(tool: HookTool, writes: Writes): (ref: SecretRef) => Secret {
  const opened = new Map<string, Secret>();
  return (ref) => {
    const key = "id" in ref ? canonicalSecretId(ref.id) : `label ${ref.label}`;
    const known = opened.get(key);
    if (known !== undefined) return known;
    const secret = openSecret(tool, writes, ref);
    opened.set(key, secret);
    return secret;
  };
}

function openSecret(tool: HookTool, writes: Writes, ref: SecretRef): Secret {
  const readers = new Map<SecretRead, () => Promise<SecretContent>>();
  for (const read of ["tracked", "peek", "refresh"] as const) {
    readers.set(
      read,
      once(() => secretGet(tool, ref, read)),
    );
  }
  const read = async (how: SecretRead): Promise<SecretContent> => {
    const queued = "id" in ref ? writes.secrets.get(canonicalSecretId(ref.id))?.content : null;
    return queued ?? (await readers.get(how)?.()) ?? {};
  };
  const askInfo = once(() => secretInfoGet(tool, ref));
  const ownId = async (): Promise<string> => ("id" in ref ? canonicalSecretId(ref.id) : (await askInfo()).id);
  const order = async () => `secret:${await ownId()}`;

  return {
    tracked: () => read("tracked"),
    peek: () => read("peek"),
    refresh: async () => {
      const content = await read("refresh");
      readers.set("tracked", async () => content);
      return content;
    },
    info: askInfo,
    setContent: async (content) => queueSecretChange(writes, await ownId(), content, {}),
    setMetadata: async (metadata) => queueSecretChange(writes, await ownId(), null, metadata),
    grant: async (relation, unit) => {
      writes.secretOrders.push({ order: "grant", secret: await order(), relation, unit: unit ?? null });
    },
    revoke: async (relation) => {
      writes.secretOrders.push({ order: "revoke", secret: await order(), relation });
    },
    remove: async (revision) => {
      writes.secretOrders.push({ order: "remove", secret: await order(), revision: revision ?? null });
    },
  };
}
