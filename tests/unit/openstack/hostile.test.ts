import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import {
  createServer,
  downloadImage,
  getImage,
  listFlavors,
  listNetworks,
  openCloud,
  OpenStackError,
  type Cloud,
  type CloudAuth,
} from "../../../src/openstack/index.ts";
import { type Answer, json, openStub, startStub } from "../../support/openstack-stub.ts";
import { startTlsStub } from "../../support/openstack-tls.ts";

const { signal } = new AbortController();
const STATUSES = [301, 302, 303, 307, 308];

const IMAGE = '"id": "i", "status": "active", "visibility": "private", "created_at": "2026-11-23T20:00:00Z"';

const redirect = (status: number, location: string): Answer => json(status, {}, { location });

const asText =
  (status: number, text: string, headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  };

async function opened(auth: CloudAuth): Promise<Cloud & Disposable> {
  const cloud = await openCloud("c", auth, { signal, log: silentLogger });
  return { ...cloud, [Symbol.dispose]: () => cloud.close() };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => new Error("it succeeded"),
    (reason: unknown) => reason as Error,
  );
}

/** One call of each kind: read, made, and streamed. */
const CALLS: Readonly<
  Record<string, readonly [method: string, path: string, (cloud: Cloud) => Promise<unknown>]>
> = {
  "list flavors": ["GET", "/compute/flavors/detail", (cloud) => listFlavors(cloud, { signal })],
  "list networks": ["GET", "/network/v2.0/networks", (cloud) => listNetworks(cloud, { signal })],
  "create server b": [
    "POST",
    "/compute/servers",
    (cloud) =>
      createServer(
        cloud,
        {
          name: "b",
          imageId: "i",
          flavorId: "f",
          networkId: "n",
          keyName: "k",
          securityGroupIds: ["g"],
          configDrive: false,
          metadata: {},
          userData: "",
        },
        { signal },
      ),
  ],
  "download image i": ["GET", "/image/v2/images/i/file", (cloud) => downloadImage(cloud, "i", { signal })],
};

describe("a redirect is not followed and named in one sentence", () => {
  describe.each(Object.entries(CALLS))("cannot %s", (what, [method, path, call]) => {
    test.each(STATUSES)("HTTP %i, to this host and to another", async (status) => {
      await using other = await startStub();
      await using stub = await startStub();
      using cloud = await openStub(stub);
      stub.answer("GET", "/image/v2/images/i", asText(200, `{${IMAGE}}`));
      for (const host of [stub, other]) {
        stub.answer(method, path, redirect(status, `${host.url}/steal?token=x`));
        const error = await failureOf(call(cloud));
        expect(error).toBeInstanceOf(OpenStackError);
        const service = path.split("/")[1];
        expect(error.message).toBe(
          `cannot ${what}: ${service} redirects to ${host.url}, which is not followed (HTTP ${status} from ${service})`,
        );
      }
      const asked = stub.seen.map(({ url }) => new URL(url, stub.url).pathname);
      expect(asked.filter((one) => one !== "/image/v2/images/i")).toEqual([path, path]);
      expect([other.seen, other.signIns]).toEqual([[], []]);
    });
  });

  test("from https to http", async () => {
    await using other = await startStub();
    await using served = await startTlsStub();
    const { stub, caFile } = served;
    using cloud = await opened({ ...stub.auth, caFile });
    stub.answer("GET", "/compute/flavors/detail", redirect(307, `${other.url}/steal`));
    expect((await failureOf(listFlavors(cloud, { signal }))).message).toContain(
      `compute redirects to ${other.url}, which is not followed`,
    );
    expect(other.seen).toEqual([]);
  });

  test.each(STATUSES)("from Keystone with HTTP %i, to which no password goes", async (status) => {
    await using other = await startStub();
    await using stub = await startStub();
    stub.answerSignIns(redirect(status, `${other.url}/v3/auth/tokens`));
    expect((await failureOf(opened(stub.auth))).message).toBe(
      `cannot sign in to cloud c: ${stub.auth.authUrl} redirects to ${other.url}, which is not followed; ` +
        `set the auth URL to Keystone's own address (HTTP ${status})`,
    );
    expect([other.seen, other.signIns]).toEqual([[], []]);
  });

  test("to what is no address", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/flavors/detail", redirect(302, "http://"));
    expect((await failureOf(listFlavors(cloud, { signal }))).message).toContain(
      "compute redirects to what is no address, which is not followed",
    );
  });
});

describe("a reply that is made to harm", () => {
  const POISON = '"__proto__": {"poisoned": "x"}, "constructor": {"prototype": {"poisoned": "x"}}';
  const LINK = '"__proto__": "poisoned", "constructor": "poisoned", "toString": "poisoned"';

  test("changes no object but its own", async () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    await using stub = await startStub();
    const now = new Date().toISOString();
    const endpoint = (type: string): string =>
      `{"type": "${type}", "name": "__proto__", ${POISON}, "endpoints": [{"interface": "public", "region": "R", "url": "${stub.url}/${type}", ${POISON}}]}`;
    const token = `{"token": {${POISON}, "issued_at": "${now}", "expires_at": "2099-01-01T00:00:00Z",
      "user": {"id": "u", ${POISON}}, "project": {"id": "p", "name": "p", ${POISON}},
      "catalog": [${["compute", "image", "network"].map(endpoint).join(",")}]}, ${POISON}}`;
    // first a usual one, which makes its token valid
    using usual = await openStub(stub);
    stub.answerSignIns(asText(201, token, { "x-subject-token": "stub-token-1" }));
    using cloud = await opened(stub.auth);
    expect(usual.projectId).not.toBe(cloud.projectId);

    stub.answer(
      "GET",
      "/compute/flavors/detail",
      asText(
        200,
        `{${POISON}, "flavors": [{"id": "f", "name": "__proto__", "vcpus": 2, "ram": 4096, "disk": 20, ${POISON}}]}`,
      ),
    );
    expect(await listFlavors(cloud, { signal })).toMatchObject([{ id: "f", name: "__proto__" }]);
    stub.answer("GET", "/image/v2/images/i", asText(200, `{${IMAGE}, ${LINK}}`));
    const { properties } = await getImage(cloud, "i", { signal });
    expect(Object.entries(properties)).toEqual([["toString", "poisoned"]]);
    stub.answer(
      "GET",
      "/network/v2.0/networks",
      asText(400, `{"NeutronError": {${POISON}, "message": "no"}, ${POISON}}`),
    );
    await expect(listNetworks(cloud, { signal })).rejects.toThrow("cannot list networks: no (HTTP 400");

    expect(({} as Record<string, unknown>)["poisoned"]).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  test("ends when it is the page of an error without an end, in the place of an image", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/image/v2/images/i", asText(200, `{${IMAGE}}`));
    let sent = 0;
    stub.answer("GET", "/image/v2/images/i/file", (_request, response) => {
      response.writeHead(400);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) sent += 65_536;
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    const error = await failureOf(downloadImage(cloud, "i", { signal }));
    expect(error.message).toMatch(/^cannot download image i: x{1,500} \(HTTP 400 from image\)$/);
    expect(sent).toBeLessThan(64 << 20);
  });

  test.each([200, 400])("ends in one sentence when it is nested without an end: HTTP %i", async (status) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const depth = 200_000;
    for (const text of [
      "[".repeat(depth) + "]".repeat(depth),
      `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
    ]) {
      stub.answer("GET", "/compute/flavors/detail", asText(status, text));
      const error = await failureOf(listFlavors(cloud, { signal }));
      expect(error.message).toMatch(
        status === 200
          ? /^cannot list flavors: the reply is not understood \(flavors: [^\n]*\)$/
          : /^cannot list flavors: \(HTTP 400 from compute\)$/,
      );
    }
  });
});
