import { describe, expect, test } from "vitest";
import {
  createServer,
  deleteServer,
  listServers,
  type NewServer,
  ServerFailedError,
  stopServer,
  waitForServer,
  waitForServerGone,
} from "../../../../src/openstack/index.ts";
import {
  type Answer,
  bodyOf,
  html,
  json,
  openStub,
  reset,
  startStub,
} from "../../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const options = { signal, everyMs: 5 };

const server: NewServer = {
  name: "builder-1.x",
  imageId: "i1",
  flavorId: "f1",
  networkId: "n1",
  keyName: "k1",
  securityGroupIds: ["g1"],
  userData: "#cloud-config\nü: 1\n",
  configDrive: true,
  metadata: { build: "b1" },
};

const reply = (changes: object = {}): object => ({
  id: "s1",
  name: "builder-1.x",
  status: "ACTIVE",
  "OS-EXT-STS:task_state": null,
  addresses: { net: [{ addr: "10.0.0.5", version: 4, "OS-EXT-IPS:type": "fixed" }] },
  metadata: { build: "b1", other: "x" },
  created: "2026-11-23T20:00:00Z",
  ...changes,
});

const gone = json(404, { itemNotFound: { code: 404, message: "Instance s1 could not be found." } });

describe("createServer", () => {
  test("sends what Nova takes, user data in base64", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const bodies: unknown[] = [];
    stub.answer("POST", "/compute/servers", async (request, response) => {
      bodies.push(JSON.parse(await bodyOf(request)));
      await json(202, { server: { id: "s1", links: [] } })(request, response);
    });
    expect(await createServer(cloud, { ...server, tags: ["t1"] }, options)).toEqual({ id: "s1" });
    expect(bodies).toEqual([
      {
        server: {
          name: "builder-1.x",
          imageRef: "i1",
          flavorRef: "f1",
          networks: [{ uuid: "n1" }],
          key_name: "k1",
          security_groups: [{ name: "g1" }],
          user_data: Buffer.from(server.userData).toString("base64"),
          config_drive: true,
          metadata: { build: "b1" },
          tags: ["t1"],
        },
      },
    ]);
    expect(stub.seen[0]?.headers["openstack-api-version"]).toBe("compute 2.52");
  });

  test("refuses user data that Nova would refuse, before it asks", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/servers", json(202, { server: { id: "s1" } }));
    const most = "x".repeat(49_149); // 65532 in base64
    await expect(createServer(cloud, { ...server, userData: most }, options)).resolves.toEqual({ id: "s1" });
    await expect(createServer(cloud, { ...server, userData: `${most}x` }, options)).rejects.toThrow(
      "cannot create server builder-1.x: its user data has 65536 bytes in base64, Nova takes 65535",
    );
    expect(stub.seen).toHaveLength(1);
  });

  test.each<[string, Answer]>([
    ["a broken connection", reset],
    ["a 502", html(502, "Bad Gateway")],
    ["a 500", json(500, { computeFault: { code: 500, message: "Unexpected API Error." } })],
  ])("finds the server that was made although the reply was %s", async (_name, fault) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/servers", fault);
    const others = [reply({ id: "s2", name: "builder-1yx" }), reply({ id: "s3", metadata: { build: "b2" } })];
    stub.answer(
      "GET",
      "/compute/servers/detail",
      json(200, { servers: others }),
      json(200, { servers: [...others, reply()] }),
    );
    expect(await createServer(cloud, server, options)).toEqual({ id: "s1" });
    expect(stub.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST /compute/servers",
      "GET /compute/servers/detail?name=%5Ebuilder-1.x%24",
      "GET /compute/servers/detail?name=%5Ebuilder-1.x%24",
    ]);
  });

  test("throws the first error when no such server appears", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/servers", html(502, "Bad Gateway"));
    stub.answer("GET", "/compute/servers/detail", json(200, { servers: [] }));
    await expect(createServer(cloud, server, options)).rejects.toThrow(
      "cannot create server builder-1.x: Bad Gateway (HTTP 502 from compute)",
    );
    expect(stub.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
  }, 20_000);

  test("does not look for a server that Nova refused", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/servers", json(400, { badRequest: { code: 400, message: "Bad flavor." } }));
    await expect(createServer(cloud, server, options)).rejects.toThrow("Bad flavor (HTTP 400 from compute)");
    expect(stub.seen).toHaveLength(1);
  });
});

describe("servers", () => {
  test("are read into exact fields", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer(
      "GET",
      "/compute/servers/detail",
      json(200, { servers: [reply({ image: "", fault: { message: "no host" } })] }),
    );
    expect(await listServers(cloud, {}, options)).toEqual([
      {
        id: "s1",
        name: "builder-1.x",
        status: "ACTIVE",
        taskState: null,
        addresses: [{ network: "net", address: "10.0.0.5", version: 4 }],
        metadata: { build: "b1", other: "x" },
        fault: "no host",
        createdAt: new Date("2026-11-23T20:00:00Z"),
      },
    ]);
  });

  test("that are gone are deleted, that resist are not", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("DELETE", "/compute/servers/s1", gone);
    await expect(deleteServer(cloud, "s1", options)).resolves.toBeUndefined();
    stub.answer("DELETE", "/compute/servers/s1", json(409, { conflictingRequest: { message: "locked" } }));
    await expect(deleteServer(cloud, "s1", options)).rejects.toThrow("cannot delete server s1: locked");
  });

  test("that are off already are stopped, that are busy are not", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer(
      "POST",
      "/compute/servers/s1/action",
      json(409, { conflictingRequest: { message: "cannot 'stop'" } }),
    );
    stub.answer("GET", "/compute/servers/s1", json(200, { server: reply({ status: "SHUTOFF" }) }));
    await expect(stopServer(cloud, "s1", options)).resolves.toBeUndefined();
    stub.answer(
      "GET",
      "/compute/servers/s1",
      json(200, { server: reply({ "OS-EXT-STS:task_state": "rebuilding" }) }),
    );
    await expect(stopServer(cloud, "s1", options)).rejects.toThrow("cannot stop server s1: cannot 'stop'");
  });
});

describe("waiting for a server", () => {
  test("ends with the status", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const building = json(200, { server: reply({ status: "BUILD" }) });
    stub.answer("GET", "/compute/servers/s1", building, building, json(200, { server: reply() }));
    expect(await waitForServer(cloud, "s1", "ACTIVE", options)).toMatchObject({ status: "ACTIVE" });
    expect(stub.seen).toHaveLength(3);
  });

  test("ends at once with Nova's fault when it goes to ERROR", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const fault = { code: 500, message: "No valid host was found. " };
    stub.answer("GET", "/compute/servers/s1", json(200, { server: reply({ status: "ERROR", fault }) }));
    const error: unknown = await waitForServer(cloud, "s1", "ACTIVE", options).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ServerFailedError);
    expect(error).toMatchObject({
      message: "server s1 did not become ACTIVE: it is in ERROR (No valid host was found. )",
      serverId: "s1",
      fault: "No valid host was found. ",
    });
  });

  test("ends when the server vanishes", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/servers/s1", gone);
    await expect(waitForServer(cloud, "s1", "ACTIVE", options)).rejects.toThrow(
      "server s1 did not become ACTIVE: it is gone",
    );
  });

  test("to go ends when it is gone, and fails when its deletion does", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/servers/s1", json(200, { server: reply() }), gone);
    await expect(waitForServerGone(cloud, "s1", options)).resolves.toBeUndefined();
    const failed = reply({ status: "ERROR", fault: { message: "no agent" } });
    stub.answer("GET", "/compute/servers/s1", json(200, { server: failed }));
    await expect(waitForServerGone(cloud, "s1", options)).rejects.toThrow(
      "server s1 was not deleted: no agent",
    );
  });
});
