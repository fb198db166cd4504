/** Who made a list of checksums: OpenPGP signatures (RFC 9580), as in SHA256SUMS.gpg on Ubuntu's mirror. */
import { readAsset } from "../../base/assets.ts";
import { AppError } from "../../base/errors.ts";

/** Ubuntu's key for cloud images, armored: fingerprint D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81. */
export async function ubuntuKey(): Promise<string> {
  return await readAsset(new URL("ubuntu-cloud-image-key.asc", import.meta.url));
}

/** Loads the OpenPGP library, which is otherwise loaded when it is needed first. */
export async function loadSignatures(): Promise<void> {
  await import("openpgp");
}

/**
 * Returns when `signature` (detached, binary or armored) has a good signature of `armoredKey` over `data`; it may
 * have others of keys that nobody here knows. Throws a sentence that begins with `url`, the signature's address,
 * when it has none, or a bad one.
 */
export async function verifySignature(
  data: Uint8Array,
  signature: Uint8Array,
  armoredKey: string,
  url: string,
): Promise<void> {
  // few builds need it, and it takes a while to load
  const { createMessage, readKey, readSignature, verify } = await import("openpgp");
  const key = await readKey({ armoredKey });
  const known = new Set(key.getKeyIDs().map((id) => id.toHex()));
  let results: Awaited<ReturnType<typeof verify>>["signatures"];
  try {
    const text = Buffer.from(signature).toString("latin1");
    const parsed = text.trimStart().startsWith("-----BEGIN PGP")
      ? await readSignature({ armoredSignature: text })
      : await readSignature({ binarySignature: signature });
    const message = await createMessage({ binary: data });
    results = (await verify({ message, signature: parsed, verificationKeys: key, format: "binary" }))
      .signatures;
  } catch (error) {
    throw new AppError(`${url} is not a readable signature`, { cause: error });
  }
  const fingerprint = key.getFingerprint().toUpperCase();
  const ours = results.filter(({ keyID }) => known.has(keyID.toHex()));
  for (const { verified } of results) verified.catch(() => {}); // those of strangers are never awaited
  if (ours.length === 0) throw new AppError(`${url} has no signature of the key ${fingerprint}`);
  try {
    await Promise.all(ours.map(async ({ verified }) => await verified));
  } catch (error) {
    throw new AppError(`${url} has a bad signature of the key ${fingerprint}`, { cause: error });
  }
}
