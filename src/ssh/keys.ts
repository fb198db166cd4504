/** Key pairs, made on our side: the private half never leaves this process. */
import { createHash } from "node:crypto";

/** An ed25519 key pair in OpenSSH's formats (PROTOCOL.key and the authorized_keys line). */
export interface KeyPair {
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA… comment`, as Nova's key pair API takes it. */
  readonly publicKey: string;
}

/** A new ed25519 key pair whose public half ends in `comment`. */
export async function generateKeyPair(comment: string): Promise<KeyPair> {
  const { default: ssh2 } = await import("ssh2");
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    // ssh2 1.17 drops leading zero bytes: of one pair in 250 a half is short, and Nova and sshd refuse it
    if (isWhole(ssh2, pair)) return { privateKey: pair.private, publicKey: pair.public };
  }
}

/** Whether both halves have their full length and belong together. */
export function isWhole(
  { utils }: Pick<typeof import("ssh2"), "utils">,
  pair: { readonly private: string; readonly public: string },
): boolean {
  const key = utils.parseKey(pair.private);
  if (key instanceof Error) return false;
  const blob = Buffer.from(pair.public.split(" ")[1] ?? "", "base64");
  if (blob.length !== ED25519_BLOB_BYTES || !blob.equals(key.getPublicSSH())) return false;
  const signature = key.sign(blob);
  return signature.length === ED25519_SIGNATURE_BYTES && key.verify(blob, signature) === true;
}

/** Two length fields of 4 bytes, `ssh-ed25519`, and 32 bytes of key (RFC 8709, section 4). */
const ED25519_BLOB_BYTES = 51;
/** RFC 8709, section 6. */
const ED25519_SIGNATURE_BYTES = 64;

/** `SHA256:…` of a public key blob, as `ssh-keygen -l` and cloud-init's console lines print it. */
export function fingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
