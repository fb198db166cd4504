/** A loopback OpenStack behind TLS. */
import { execFileSync } from "node:child_process";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStub, type Stub } from "./openstack-stub.ts";

/** A stub behind TLS whose certificate only `caFile` vouches for. */
export async function startTlsStub(): Promise<{ stub: Stub; caFile: string } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "tls-")));
  const [keyFile, caFile] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const subject = ["-subj", "/CN=stub", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", keyFile, "-out", caFile], {
    stdio: "ignore",
  });
  const tls = { key: await readFile(keyFile, "utf8"), cert: await readFile(caFile, "utf8") };
  const stub = stack.use(await startStub({ tls }));
  return { stub, caFile, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
