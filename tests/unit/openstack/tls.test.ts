import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { listFlavors, openCloud } from "../../../src/openstack/index.ts";
import { json } from "../../support/openstack-stub.ts";
import { startTlsStub } from "../../support/openstack-tls.ts";

const signal = new AbortController().signal;

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
