/** The public half of the Python charm's key, by Node alone: an SSH library is too heavy for the charm. */

/**
 * `ssh-rsa AAAA…`, type and key as in authorized_keys, of the RSA private key `pem` as Nova makes it (PKCS #1, or PKCS #8);
 * null for all else.
 */
export function rsaPublicKeyOf(pem: string): string | null {
  // not imported: the bundle of a hook has node:crypto's functions alone
  const { createPublicKey } = process.getBuiltinModule("node:crypto");
  try {
    const { e, n } = createPublicKey(pem).export({ format: "jwk" });
    if (e === undefined || n === undefined) return null;
    // RFC 4253, section 6.6
    const blob = Buffer.concat([
      lengthed(Buffer.from("ssh-rsa")),
      multiplePrecision(e),
      multiplePrecision(n),
    ]);
    return `ssh-rsa ${blob.toString("base64")}`;
  } catch (error) {
    // OpenSSL says so of a text that holds no key
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}

function lengthed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** RFC 4251, section 5: `mpint`, of a positive number in base64url without leading zeros. */
function multiplePrecision(number: string): Buffer {
  const bytes = Buffer.from(number, "base64url");
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  return lengthed(isNegative ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}
