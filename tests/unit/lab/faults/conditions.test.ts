import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { NORMAL } from "../../../../lab/faults/conditions.ts";
import { startFaultProxy } from "../../../../lab/faults/proxy.ts";
import { ruleOf } from "../../../../lab/faults/rules.ts";

const HOUR = 3_600_000;
const NOON = "2026-11-23T12:00:00.000000Z";

/** A Keystone that issues one token and an image of noon, whose tag tells noon as well. */
async function startCloud(): Promise<
  AsyncDisposable & { readonly authUrl: string; readonly revoked: readonly string[] }
> {
  const revoked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    request.resume();
    if (request.method === "DELETE") {
      revoked.push(String(request.headers["x-subject-token"]));
      response.writeHead(204).end();
    } else if (request.method === "POST") {
      const catalog = [{ type: "image", endpoints: [{ url: self }] }];
      const token = { catalog, issued_at: NOON, expires_at: "2026-11-23T13:00:00.000000Z" };
      response.writeHead(201, { "x-subject-token": "secret" }).end(JSON.stringify({ token }));
    } else {
      const image = { status: "active", created_at: "2026-11-23T12:00:00Z", "image-builder.created": NOON };
      response.writeHead(200, { "content-type": "application/json", date: new Date(NOON).toUTCString() });
      response.end(JSON.stringify(image));
    }
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const self = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    authUrl: `${self}/v3`,
    revoked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const signIn = async (authUrl: string): Promise<unknown> =>
  await fetch(`${authUrl}/auth/tokens`, { method: "POST" }).then((reply) => reply.json());

test("a cloud whose clock is ahead tells other times, but what users noted stays", async () => {
  await using cloud = await startCloud();
  await using proxy = await startFaultProxy(cloud.authUrl);
  proxy.setConditions({ ...NORMAL, clockAheadMs: HOUR });
  expect(await signIn(proxy.authUrl)).toMatchObject({
    token: { issued_at: "2026-11-23T13:00:00.000000Z", expires_at: "2026-11-23T14:00:00.000000Z" },
  });
  const reply = await fetch(`${new URL(proxy.authUrl).origin}/image/v2/images/1`);
  expect(reply.headers.get("date")).toBe("Mon, 23 Nov 2026 13:00:00 GMT");
  expect(await reply.json()).toEqual({
    status: "active",
    created_at: "2026-11-23T13:00:00Z",
    "image-builder.created": NOON,
  });
});

test("a token of a short life says so, and is refused after its end", async () => {
  await using cloud = await startCloud();
  await using proxy = await startFaultProxy(cloud.authUrl);
  const { origin } = new URL(proxy.authUrl);
  await fetch(`${origin}/_faults/conditions`, { method: "PUT", body: '{"tokenMs": 300}' });
  expect(await signIn(proxy.authUrl)).toMatchObject({ token: { expires_at: "2026-11-23T12:00:00.300Z" } });
  const ask = async (): Promise<number> =>
    (await fetch(`${origin}/image/v2/images/1`, { headers: { "x-auth-token": "secret" } })).status;
  expect(await ask()).toBe(200);
  await expect.poll(ask).toBe(401);
});

test("all tokens that came by are revoked, once", async () => {
  await using cloud = await startCloud();
  await using proxy = await startFaultProxy(cloud.authUrl);
  const control = `${new URL(proxy.authUrl).origin}/_faults`;
  await signIn(proxy.authUrl);
  const revoke = async (): Promise<unknown> =>
    await fetch(`${control}/revoke`, { method: "POST" }).then((reply) => reply.json());
  expect(await revoke()).toEqual({ revoked: 1 });
  expect(await revoke()).toEqual({ revoked: 0 });
  expect(cloud.revoked).toEqual(["secret"]);
});

test("conditions that are none are refused", async () => {
  await using cloud = await startCloud();
  await using proxy = await startFaultProxy(cloud.authUrl);
  const control = `${new URL(proxy.authUrl).origin}/_faults`;
  const reply = await fetch(`${control}/conditions`, { method: "PUT", body: '{"tokenMs": 0}' });
  expect([reply.status, await reply.text()]).toEqual([400, expect.stringContaining("conditions: tokenMs: ")]);
});

test("a state is replaced in the text of a reply", async () => {
  await using cloud = await startCloud();
  await using proxy = await startFaultProxy(cloud.authUrl);
  await signIn(proxy.authUrl);
  proxy.setRules([ruleOf({ kind: "replace", pattern: '"status": ?"active"', with: '"status": "killed"' })]);
  const url = `${new URL(proxy.authUrl).origin}/image/v2/images/1`;
  const states = [await fetch(url), await fetch(url)].map(async (reply) => await reply.json());
  expect(await Promise.all(states)).toMatchObject([{ status: "killed" }, { status: "active" }]);
});
