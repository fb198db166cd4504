import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { createLogger, silentLogger } from "../../../src/base/log.ts";
import {
  type CloudAuth,
  isUnauthorized,
  listFlavors,
  listNetworks,
  openCloud,
} from "../../../src/openstack/index.ts";
import { hang, html, json, openStub, startStub } from "../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const open = (auth: CloudAuth): ReturnType<typeof openCloud> =>
  openCloud("c", auth, { signal, log: silentLogger });
const unauthorised = json(401, {
  error: { code: 401, message: "It requires authentication.", title: "Unauthorized" },
});

describe("openCloud", () => {
  test("asks Keystone for a project-scoped token with the password of the user", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    expect(stub.signIns).toEqual([
      {
        auth: {
          identity: {
            methods: ["password"],
            password: { user: { name: "builder", domain: { name: "Default" }, password: "stub-password" } },
          },
          scope: { project: { name: "builder", domain: { name: "Default" } } },
        },
      },
    ]);
    expect(cloud).toMatchObject({ name: "stub", projectId: "p1", userId: "u1", authUrl: stub.url });
    expect(cloud.compute.url).toBe(`${stub.url}/compute`);
    expect(cloud.image.url).toBe(`${stub.url}/image/v2`);
    expect(cloud.network.url).toBe(`${stub.url}/network/v2.0`);
    expect(cloud.callCount()).toBe(1);
  });

  test("tells a wrong password", async () => {
    await using stub = await startStub();
    stub.answerSignIns(unauthorised, unauthorised);
    const error: unknown = await open(stub.auth).catch((reason: unknown) => reason);
    expect(isUnauthorized(error)).toBe(true);
    expect(error).toMatchObject({
      message:
        "cannot sign in to cloud c: wrong password for user builder of domain Default, or no such user",
    });
  });

  test("tells a wrong project from a wrong password by signing in without one", async () => {
    await using stub = await startStub();
    stub.answerSignIns(unauthorised);
    await expect(open(stub.auth)).rejects.toThrow(
      "there is no project builder of domain Default, or user builder of domain Default has no role in it",
    );
    expect(stub.signIns).toMatchObject([{ auth: { scope: "unscoped" } }]);
  });

  test.each([
    ["a web page", html(200, "Welcome")],
    ["another API", json(404, { message: "no such path" })],
    ["a token reply of another kind", json(201, { token: {} }, { "x-subject-token": "abc" })],
  ])("tells %s from a Keystone", async (_name, answer) => {
    await using stub = await startStub();
    stub.answerSignIns(answer);
    await expect(open(stub.auth)).rejects.toThrow(
      `cannot sign in to cloud c: there is no Keystone v3 at ${stub.auth.authUrl} (HTTP `,
    );
  });

  test("tries again when Keystone is away for a moment", async () => {
    await using stub = await startStub();
    stub.answerSignIns(html(503, "Service Unavailable"), html(502, "Bad Gateway"));
    const cloud = await open(stub.auth);
    cloud.close();
    expect(cloud.callCount()).toBe(3);
  });

  test("says when nothing listens there", async () => {
    const stub = await startStub();
    await stub[Symbol.asyncDispose]();
    await expect(open(stub.auth)).rejects.toThrow(
      `cannot sign in to cloud c: cannot reach ${new URL(stub.url).host} (ECONNREFUSED)`,
    );
  });

  test("ends with the signal's reason when it fires during the sign-in", async () => {
    await using stub = await startStub();
    const abort = new AbortController();
    const closed = Promise.withResolvers<void>();
    stub.answerSignIns((request, response) => {
      request.socket.once("close", () => closed.resolve());
      void hang(request, response);
      abort.abort(new Error("enough"));
    });
    const opening = openCloud("c", stub.auth, { signal: abort.signal, log: silentLogger });
    await expect(opening).rejects.toThrow("enough");
    await expect(closed.promise).resolves.toBeUndefined();
  });

  test("says which region there is when the chosen one is missing", async () => {
    await using stub = await startStub();
    const opening = open({ ...stub.auth, region: "Mars" });
    await expect(opening).rejects.toThrow("cloud c has no region Mars; its regions are: RegionOne");
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
  });

  test("says which CA file it cannot read", async () => {
    await using stub = await startStub();
    const opening = open({ ...stub.auth, caFile: "/no/such/ca.pem" });
    await expect(opening).rejects.toThrow("cannot read the CA file /no/such/ca.pem: ENOENT");
  });

  test("reads the CA file also when the cloud speaks plain HTTP", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "ca-"));
    const caFile = join(folder.path, "ca.pem");
    await writeFile(caFile, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
    await using stub = await startStub();
    const cloud = await open({ ...stub.auth, caFile });
    cloud.close();
    expect(cloud.projectId).toBe("p1");
  });

  test("logs neither password nor token, at no level", async () => {
    await using stub = await startStub();
    const lines: string[] = [];
    const log = createLogger({ write: (line) => void lines.push(line) }, "debug");
    const cloud = await openCloud("c", stub.auth, { signal, log });
    stub.answer("GET", "/compute/flavors/detail", json(200, { flavors: [] }));
    await listFlavors(cloud, { signal });
    cloud.close();
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join("")).not.toMatch(/stub-password|stub-token/);
  });
});

describe("the shared token", () => {
  test("is fetched once for many calls at once on all services", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/flavors/detail", json(200, { flavors: [] }));
    stub.answer("GET", "/network/v2.0/networks", json(200, { networks: [] }));
    stub.revokeTokens();
    await Promise.all([
      ...Array.from({ length: 10 }, () => listFlavors(cloud, { signal })),
      ...Array.from({ length: 5 }, () => listNetworks(cloud, { signal })),
    ]);
    expect(stub.signIns).toHaveLength(2);
  });

  test("that lives two minutes is used for many calls", async () => {
    await using stub = await startStub({ tokenLifeMs: 120_000 });
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/flavors/detail", json(200, { flavors: [] }));
    for (let call = 0; call < 5; call += 1) await listFlavors(cloud, { signal });
    expect(stub.signIns).toHaveLength(1);
  });

  test("is renewed before its end", async () => {
    await using stub = await startStub({ tokenLifeMs: 400 });
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/flavors/detail", json(200, { flavors: [] }));
    await expect
      .poll(async () => {
        await listFlavors(cloud, { signal });
        return stub.signIns.length;
      })
      .toBeGreaterThan(1);
    expect(stub.seen.at(-1)?.headers["x-auth-token"]).not.toBe("stub-token-1");
  });

  test.each([-86_400_000, 86_400_000])("does not mind a cloud whose clock is %d ms ahead", async (ahead) => {
    await using stub = await startStub({ clockAheadMs: ahead });
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/flavors/detail", json(200, { flavors: [] }));
    await listFlavors(cloud, { signal });
    await listFlavors(cloud, { signal });
    expect(stub.signIns).toHaveLength(1);
  });

  test("is still fetched for the others when one caller gives up", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/flavors/detail", json(200, { flavors: [] }));
    stub.revokeTokens();
    const abort = new AbortController();
    const [one, two] = [listFlavors(cloud, { signal: abort.signal }), listFlavors(cloud, { signal })];
    abort.abort(new Error("never mind"));
    await expect(one).rejects.toThrow("never mind");
    await expect(two).resolves.toEqual([]);
  });
});

test("a cloud keeps its connections, and ends them when it is closed", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  const sockets = new Set<unknown>();
  const closed = Promise.withResolvers<void>();
  stub.answer("GET", "/compute/flavors/detail", (request, response) => {
    sockets.add(request.socket);
    request.socket.once("close", () => closed.resolve());
    void json(200, { flavors: [] })(request, response);
  });
  for (let call = 0; call < 3; call += 1) await listFlavors(cloud, { signal });
  expect(sockets.size).toBe(1);
  cloud.close();
  await expect(closed.promise).resolves.toBeUndefined();
});
