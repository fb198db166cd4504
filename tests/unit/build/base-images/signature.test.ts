import { readKey } from "openpgp";
import { beforeAll, describe, expect, test } from "vitest";
import { locateBaseImage } from "../../../../src/build/base-images.ts";
import { ubuntuKey } from "../../../../src/build/base-images/signature.ts";
import { startHttpServer } from "../../../support/http-server.ts";
import { newSigner, type Signer } from "../../../support/signer.ts";

const never = new AbortController().signal;
const spec = { base: "noble", arch: "x64" } as const;
const sums = `${"a".repeat(64)} *noble-server-cloudimg-amd64.img\n`;
const changed = sums.replace("a", "b");

describe("the signature of a mirror's checksums", () => {
  let ours: Signer;
  let stranger: Signer;
  beforeAll(async () => {
    ours = await newSigner();
    stranger = await newSigner();
  });

  const locate = async (
    signature: string | Uint8Array | null,
    requireSignature = false,
  ): Promise<boolean | string> => {
    await using mirror = await startHttpServer({
      "/noble/current/SHA256SUMS": sums,
      ...(signature === null ? {} : { "/noble/current/SHA256SUMS.gpg": signature }),
    });
    const source = { baseImageMirror: mirror.url, baseImageSerial: "", requireSignature };
    try {
      return (await locateBaseImage(source, spec, ours.publicKey, never)).isSigned;
    } catch (error) {
      return String(error).replaceAll(mirror.url, "MIRROR");
    }
  };

  test("is accepted as bytes and as text", async () => {
    expect(await locate(await ours.sign(sums), true)).toBe(true);
    expect(await locate(await ours.armor(sums), true)).toBe(true);
  });

  test("is accepted beside one of an unknown key, in either order", async () => {
    const [good, foreign] = [await ours.sign(sums), await stranger.sign(sums)];
    expect(await locate(Buffer.concat([foreign, good]))).toBe(true);
    expect(await locate(Buffer.concat([good, foreign]))).toBe(true);
  });

  test("is refused when it is of other content, required or not", async () => {
    const bad = await ours.sign(changed);
    for (const required of [true, false]) {
      expect(await locate(bad, required)).toMatch(
        /base-image-mirror: MIRROR\/noble\/current\/SHA256SUMS.gpg has a bad signature of the key [0-9A-F]{40}/,
      );
    }
  });

  test("is refused when only a stranger signed", async () => {
    expect(await locate(await stranger.sign(sums))).toMatch(/has no signature of the key [0-9A-F]{40}/);
  });

  test("is refused when it is no signature at all", async () => {
    expect(await locate("<html>Sign in</html>")).toMatch(/SHA256SUMS.gpg is not a readable signature/);
  });

  test("may be missing, but not when it is required", async () => {
    expect(await locate(null)).toBe(false);
    expect(await locate(null, true)).toMatch(
      /base-image-require-signature: MIRROR\/noble\/current\/SHA256SUMS has no signature; set base-image-mirror/,
    );
  });

  test("is by default of Ubuntu's key for cloud images", async () => {
    const key = await readKey({ armoredKey: await ubuntuKey() });
    expect(key.getFingerprint().toUpperCase()).toBe("D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81");
    await expect(key.verifyPrimaryKey()).resolves.toBeUndefined();
  });
});
