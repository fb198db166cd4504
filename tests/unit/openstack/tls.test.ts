import { execFileSync } from "node:child_process";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { listFlavors, openCloud } from "../../../src/openstack/index.ts";
import { json, startStub, type Stub } from "../../support/openstack-stub.ts";

const signal = new AbortController().signal;

/** A stub behind TLS whose certificate only `caFile` vouches for. */
async function startTlsStub(): Promise<{ stub: Stub; caFile: string } & AsyncDisposable> {
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

describe("a cloud behind TLS", () => {
  test("is reached with its CA file, over one connection", async () => {
    await using served = await startTlsStub();
    const { stub, caFile } = served;
    const sockets = new Set<unknown>();
    stub.answer("GET", "/compute/flavors/detail", (request, response) => {
      sockets.add(request.socket);
      void json(200, { flavors: [] })(request, response);
    });
    const cloud = await openCloud("c", { ...stub.auth, caFile }, { signal, log: silentLogger });
    for (let call = 0; call < 3; call += 1) await listFlavors(cloud, { signal });
    cloud.close();
    expect(sockets.size).toBe(1);
  });

  test("is not trusted without it, and the error says what to do", async () => {
    await using served = await startTlsStub();
    const { stub } = served;
    await expect(openCloud("c", stub.auth, { signal, log: silentLogger })).rejects.toThrow(
      `the TLS certificate of ${new URL(stub.url).host} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); name its CA file in cacert`,
    );
    expect(stub.signIns).toEqual([]);
  });
});
