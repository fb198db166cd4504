/** Digests that tell whether something changed. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { readOptional, writeAtomic } from "../base/files.ts";

/** 128 bits of `value`'s SHA-256, in hex: of what is no secret. */
export function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

/** 128 bits of `value`'s HMAC, in hex: nobody without `key` can try passwords against it. */
export function keyedDigest(key: string, value: unknown): string {
  return createHmac("sha256", key).update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

/** The unit's own key, made by chance at the first call and kept in `file`, readable by root alone. */
export async function digestKey(file: string): Promise<string> {
  const kept = (await readOptional(file))?.trim() ?? "";
  if (kept !== "") return kept;
  const key = randomBytes(32).toString("hex");
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeAtomic(file, `${key}\n`, 0o600);
  return key;
}
