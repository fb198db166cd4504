import { request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { createProxy } from "../../../lab/gateway/proxy.ts";
import { startHttpServer } from "../../support/http-server.ts";

const account = { username: "user", password: "pa:ss wörd" };

async function startProxy(aptCache: string) {
  const lines: string[] = [];
  const proxy = createProxy({ ...account, aptCache, log: (line) => lines.push(line) });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    port,
    lines,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

async function ask(port: number, path: string, password = account.password): Promise<IncomingMessage> {
  const token = Buffer.from(`${account.username}:${password}`).toString("base64");
  const headers = { "proxy-authorization": `Basic ${token}`, "x-mine": "kept" };
  return await new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, headers });
    asked.on("response", resolve).on("error", reject).end();
  });
}

test("forwards what a client with the password asks for, without the password", async () => {
  let seen: IncomingMessage["headers"] = {};
  await using server = await startHttpServer({
    "/a?b": (incoming, response) => {
      seen = incoming.headers;
      response.writeHead(200, { "x-theirs": "kept" }).end("body");
    },
  });
  await using proxy = await startProxy("127.0.0.1:9");
  const reply = await ask(proxy.port, `${server.url}/a?b`);
  expect([reply.statusCode, reply.headers["x-theirs"], await text(reply)]).toEqual([200, "kept", "body"]);
  expect(seen).toMatchObject({ "x-mine": "kept", host: server.url.slice("http://".length) });
  expect(seen["proxy-authorization"]).toBeUndefined();
  expect(proxy.lines).toEqual([`GET ${server.url}/a?b 200`]);
});

test("lets nobody in with another password", async () => {
  await using server = await startHttpServer({ "/": "body" });
  await using proxy = await startProxy("127.0.0.1:9");
  expect((await ask(proxy.port, `${server.url}/`, "guess")).statusCode).toBe(407);
  expect(server.paths).toEqual([]);
});

test("gets Debian's archive from the apt cache", async () => {
  await using cache = await startHttpServer({ "/deb.debian.org/debian/dists": "list" });
  await using proxy = await startProxy(cache.url.slice("http://".length));
  const reply = await ask(proxy.port, "http://deb.debian.org/debian/dists");
  expect(await text(reply)).toBe("list");
});

test("says when nobody answers", async () => {
  await using proxy = await startProxy("127.0.0.1:9");
  expect((await ask(proxy.port, "http://127.0.0.1:9/")).statusCode).toBe(502);
});

test("opens a tunnel", async () => {
  await using server = await startHttpServer({ "/": "through" });
  await using proxy = await startProxy("127.0.0.1:9");
  const token = Buffer.from(`${account.username}:${account.password}`).toString("base64");
  const answer = await new Promise<string>((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port: proxy.port,
      method: "CONNECT",
      path: server.url.slice("http://".length),
      headers: { "proxy-authorization": `Basic ${token}` },
    });
    asked.on("connect", (_reply, socket) => {
      socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      resolve(text(socket));
    });
    asked.on("error", reject).end();
  });
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK[^]*through/);
});
