import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, test, vi } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { listFlavors, openCloud } from "../../../src/openstack/index.ts";
import { json, startStub } from "../../support/openstack-stub.ts";
import { startTlsStub } from "../../support/openstack-tls.ts";

const signal = new AbortController().signal;

test("a cloud that only a proxy reaches is called through the proxy of the environment", async () => {
  await using proxy = await startStub();
  vi.stubEnv("HTTP_PROXY", proxy.url);
  vi.stubEnv("NO_PROXY", "");
  const auth = { ...proxy.auth, authUrl: "http://cloud.invalid:5000/v3" };
  const cloud = await openCloud("c", auth, { signal, log: silentLogger });
  cloud.close();
  expect(proxy.signIns).toHaveLength(1);
});

test("a cloud behind TLS is called through a tunnel, and its CA file counts there too", async () => {
  await using served = await startTlsStub();
  const { stub, caFile } = served;
  stub.answer("GET", "/compute/flavors/detail", json(200, { flavors: [] }));
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on("connect", (request, client) => {
    tunnels.push(request.url ?? "");
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    for (const socket of [target, client]) socket.on("error", () => target.destroy());
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  using _closed = { [Symbol.dispose]: () => void proxy.close() };
  vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  vi.stubEnv("NO_PROXY", "");

  const cloud = await openCloud("c", { ...stub.auth, caFile }, { signal, log: silentLogger });
  expect(await listFlavors(cloud, { signal })).toEqual([]);
  cloud.close();
  expect(new Set(tunnels)).toEqual(new Set([new URL(stub.url).host]));
});
