/** A certificate for loopback servers that nobody trusts of himself. */
import { execFileSync } from "node:child_process";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Key and certificate in PEM, and the file with the certificate; dispose of it. */
export interface Certificate extends AsyncDisposable {
  readonly tls: { readonly key: string; readonly cert: string };
  readonly caFile: string;
}

/** A fresh certificate for 127.0.0.1 that only `caFile` vouches for. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtempDisposable(join(tmpdir(), "tls-"));
  const [keyFile, caFile] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const subject = ["-subj", "/CN=stub", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", keyFile, "-out", caFile], {
    stdio: "ignore",
  });
  const tls = { key: await readFile(keyFile, "utf8"), cert: await readFile(caFile, "utf8") };
  return { tls, caFile, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
