/** Nova key pairs (docs.openstack.org/api-ref/compute, "Keypairs"); they belong to the user, not the project. */
import * as v from "valibot";
import { deleteFor } from "../delete.ts";
import { isConflict, isOutcomeUnknown } from "../errors.ts";
import { request, requestAll } from "../request.ts";
import type { CallOptions, Cloud } from "../types.ts";

/** The public half of an SSH key, by its name. */
export interface KeyPair {
  readonly name: string;
  readonly fingerprint: string;
  /** One line as in authorized_keys. */
  readonly publicKey: string;
}

const KeyPairReply = v.pipe(
  v.object({
    keypair: v.object({ name: v.string(), fingerprint: v.string(), public_key: v.string() }),
  }),
  v.transform(({ keypair }): KeyPair => ({
    name: keypair.name,
    fingerprint: keypair.fingerprint,
    publicKey: keypair.public_key,
  })),
);

/** All key pairs of the user. */
export async function listKeyPairs(cloud: Cloud, options: CallOptions): Promise<KeyPair[]> {
  const { signal } = options;
  return await requestAll(cloud.compute, "keypairs", KeyPairReply, {
    path: "/os-keypairs",
    what: "list key pairs",
    signal,
  });
}

/**
 * Makes Nova know a public key under a name. A key pair of that name with the same key is fine, whether it
 * was there before or an earlier try of this very call made it. The caller deletes it.
 */
export async function createKeyPair(
  cloud: Cloud,
  keyPair: Pick<KeyPair, "name" | "publicKey">,
  options: CallOptions,
): Promise<void> {
  try {
    await request(cloud.compute, {
      method: "POST",
      path: "/os-keypairs",
      body: { keypair: { name: keyPair.name, public_key: keyPair.publicKey, type: "ssh" } },
      what: `create key pair ${keyPair.name}`,
      signal: options.signal,
    });
  } catch (error) {
    if (!isConflict(error) && !isOutcomeUnknown(error)) throw error;
    const found = (await listKeyPairs(cloud, options)).find(({ name }) => name === keyPair.name);
    if (found === undefined || keyMaterial(found.publicKey) !== keyMaterial(keyPair.publicKey)) throw error;
  }
}

/** Type and key without the comment. */
const keyMaterial = (publicKey: string): string => publicKey.trim().split(/\s+/).slice(0, 2).join(" ");

/** Deletes a key pair; one that is gone already is fine. */
export async function deleteKeyPair(cloud: Cloud, name: string, options: CallOptions): Promise<void> {
  await deleteFor(cloud.compute, `/os-keypairs/${encodeURIComponent(name)}`, `key pair ${name}`, options);
}
