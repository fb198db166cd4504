/** Detached signatures by OpenPGP, as Ubuntu has them of its checksums. */
import { createMessage, generateKey, readPrivateKey, sign } from "openpgp";

/** Signs as a mirror does, by a key of its own. */
export interface Signer {
  /** Armored. */
  readonly publicKey: string;
  readonly sign: (text: string) => Promise<Uint8Array>;
  readonly armor: (text: string) => Promise<string>;
}

/** A signer with a new key. */
export async function newSigner(): Promise<Signer> {
  const { privateKey, publicKey } = await generateKey({ userIDs: [{ name: "Test" }], format: "armored" });
  const signingKeys = await readPrivateKey({ armoredKey: privateKey });
  const message = async (text: string): ReturnType<typeof createMessage<Uint8Array>> =>
    await createMessage({ binary: Buffer.from(text) });
  return {
    publicKey,
    sign: async (text) =>
      await sign({ message: await message(text), signingKeys, detached: true, format: "binary" }),
    armor: async (text) =>
      await sign({ message: await message(text), signingKeys, detached: true, format: "armored" }),
  };
}
