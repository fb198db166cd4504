import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { startFaultProxy } from "../../../../lab/faults/proxy.ts";
import { type Fault, ruleOf } from "../../../../lab/faults/rules.ts";

const DATA = Buffer.alloc(4000, "x");
const octets = { "content-type": "application/octet-stream" };

/** A Keystone whose catalogue names one more service beside it; `got` holds what arrived there. */
async function startCloud(): Promise<
  AsyncDisposable & { readonly authUrl: string; readonly got: readonly string[] }
> {
  const got: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    if (request.url === "/v3/auth/tokens") {
      const catalog = [
        { type: "image", endpoints: [{ url: `${self}/glance` }] },
        { type: "placement", endpoints: [{ url: self }] },
      ];
      response.writeHead(201, { "x-subject-token": "t" }).end(JSON.stringify({ token: { catalog } }));
      return;
    }
    buffer(request).then(
      (body) => {
        got.push(contentOf(body));
        if (request.method === "PUT") response.writeHead(204).end();
        else response.writeHead(200, { ...octets, "content-length": DATA.length }).end(DATA);
      },
      () => got.push("part"),
    );
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const self = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    authUrl: `${self}/v3`,
    got,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function signIn(authUrl: string): Promise<{ readonly image: string; readonly placement: string }> {
  const reply = await fetch(`${authUrl}/auth/tokens`, { method: "POST" });
  const { token } = (await reply.json()) as {
    token: { catalog: { type: string; endpoints: { url: string }[] }[] };
  };
  const urlOf = (type: string): string =>
    token.catalog.find((entry) => entry.type === type)?.endpoints[0]?.url ?? "";
  return { image: urlOf("image"), placement: urlOf("placement") };
}

/** What a client sees of a call. */
async function call(url: string, method: "GET" | "PUT", patienceMs = 20_000): Promise<string> {
  const init = method === "PUT" ? { method, body: DATA, headers: octets } : { method };
  try {
    const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(patienceMs) });
    const body = await reply.arrayBuffer().catch(() => null);
    return `${reply.status} ${body === null ? "broken" : contentOf(Buffer.from(body))}`;
  } catch (error) {
    return error instanceof Error && error.name === "TimeoutError" ? "silence" : "no reply";
  }
}

const contentOf = (body: Buffer): string =>
  body.equals(DATA) ? "data" : body.length === DATA.length ? "data with a fault" : "else";

describe("the fault proxy", () => {
  test("gives its own address for the services that it knows", async () => {
    await using cloud = await startCloud();
    await using proxy = await startFaultProxy(cloud.authUrl);
    const origin = new URL(proxy.authUrl).origin;
    const { image, placement } = await signIn(proxy.authUrl);
    expect(image).toBe(`${origin}/image/glance`);
    expect(placement).toBe(new URL(cloud.authUrl).origin);
    await fetch(`${image}/v2/x?limit=1`);
    expect(proxy.calls()).toMatchObject([
      { service: "identity", method: "POST", path: "/v3/auth/tokens", status: 201, fault: null },
      { service: "image", method: "GET", path: "/glance/v2/x", status: 200, fault: null },
    ]);
  });

  test.each<[Fault, "GET" | "PUT", string, string[]]>([
    [{ kind: "status", status: 503, retryAfter: 1 }, "GET", "503 else", []],
    [{ kind: "html", status: 200 }, "GET", "200 else", []],
    [{ kind: "close", when: "before" }, "GET", "no reply", []],
    [{ kind: "close", when: "after" }, "PUT", "no reply", ["data"]],
    [{ kind: "hang", when: "before" }, "PUT", "silence", []],
    [{ kind: "hang", when: "after" }, "PUT", "silence", ["data"]],
    [{ kind: "delay", ms: 30 }, "GET", "200 data", ["else"]],
    [{ kind: "truncate", of: "reply" }, "GET", "200 broken", ["else"]],
    [{ kind: "truncate", of: "request" }, "PUT", "no reply", ["part"]],
    [{ kind: "corrupt", of: "reply" }, "GET", "200 data with a fault", ["else"]],
    [{ kind: "corrupt", of: "request" }, "PUT", "204 else", ["data with a fault"]],
    [{ kind: "drip", bytesPerSecond: 1 }, "GET", "200 broken", ["else"]],
  ])("%j on %s", async (fault, method, seen, got) => {
    await using cloud = await startCloud();
    await using proxy = await startFaultProxy(cloud.authUrl);
    const { image } = await signIn(proxy.authUrl);
    proxy.setRules([ruleOf(fault, { service: "image" })]);
    const isEndless = fault.kind === "hang" || fault.kind === "drip";
    expect(await call(`${image}/v2/x`, method, isEndless ? 1500 : undefined)).toBe(seen);
    // the service learns of a broken connection a moment later
    await expect.poll(() => cloud.got).toEqual(got);
  });

  test("spoils the sign-in, too", async () => {
    await using cloud = await startCloud();
    await using proxy = await startFaultProxy(cloud.authUrl, {
      rules: [
        ruleOf({ kind: "corrupt", of: "reply" }),
        ruleOf({ kind: "truncate", of: "reply" }, { nth: 2 }),
      ],
    });
    const ask = async (): Promise<string> =>
      await fetch(`${proxy.authUrl}/auth/tokens`, { method: "POST" })
        .then((reply) => reply.text())
        .catch(() => "broken");
    expect((await ask()).slice(0, 8)).toBe('}"token"');
    expect(await ask()).toBe("broken");
    expect((await ask()).slice(0, 8)).toBe('{"token"');
  });

  test("listens where guests reach it, and sends them there for each service", async () => {
    await using cloud = await startCloud();
    await using proxy = await startFaultProxy(cloud.authUrl, { host: "127.0.0.3" });
    expect(proxy.authUrl).toMatch(/^http:\/\/127\.0\.0\.3:\d+\/identity\/v3$/);
    const { image } = await signIn(proxy.authUrl);
    expect(image).toBe(`${new URL(proxy.authUrl).origin}/image/glance`);
    expect(await call(image, "GET")).toBe("200 data");
  });

  test("takes rules and tells of calls over HTTP", async () => {
    await using cloud = await startCloud();
    await using proxy = await startFaultProxy(cloud.authUrl);
    const control = `${new URL(proxy.authUrl).origin}/_faults`;
    const put = async (body: string): Promise<Response> =>
      await fetch(`${control}/rules`, { method: "PUT", body });
    expect(await put("{}").then(async (reply) => [reply.status, await reply.text()])).toEqual([
      400,
      expect.stringContaining("fault rules:"),
    ]);
    expect((await put('[{"fault":{"kind":"status","status":500}}]')).status).toBe(200);
    expect((await fetch(`${proxy.authUrl}/auth/tokens`, { method: "POST" })).status).toBe(500);
    const calls = await fetch(`${control}/calls`).then((reply) => reply.json());
    expect(calls).toMatchObject([{ service: "identity", status: null, fault: { status: 500 } }]);
    expect(await fetch(`${control}/calls`, { method: "DELETE" }).then((reply) => reply.text())).toBe("[]");
  });
});
