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
  const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
  return { privateKey: pair.private, publicKey: pair.public };
}

/** `SHA256:…` of a public key blob, as `ssh-keygen -l` and cloud-init's console lines print it. */
export function fingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
