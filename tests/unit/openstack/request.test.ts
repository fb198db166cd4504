import { describe, expect, test } from "vitest";
import { DeadlineError } from "../../../src/base/errors.ts";
import { isUnauthorized, listFlavors, OpenStackError } from "../../../src/openstack/index.ts";
import { isOutcomeUnknown } from "../../../src/openstack/errors.ts";
import { request, requestAll, requestParsed } from "../../../src/openstack/request.ts";
import * as v from "valibot";
import { hang, html, json, openStub, reset, startStub } from "../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const thing = { path: "/thing", what: "touch the thing", signal } as const;

/** The error that `promise` rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<OpenStackError> {
  const error: unknown = await promise.then(
    () => new Error("it succeeded"),
    (reason: unknown) => reason,
  );
  if (error instanceof OpenStackError) return error;
  throw error;
}

describe("retries", () => {
  test.each([
    ["502", html(502, "Bad Gateway")],
    ["503", json(503, {})],
    ["504", html(504, "Gateway Time-out")],
    ["429", json(429, {})],
    ["a broken connection", reset],
  ])("tries a GET again after %s", async (_name, fault) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", fault, fault, json(200, { ok: 1 }));
    const reply = await request(cloud.compute, { ...thing, method: "GET" });
    expect(reply.body).toEqual({ ok: 1 });
    expect(stub.seen).toHaveLength(3);
  });

  test.each(["DELETE", "PUT"] as const)("tries a %s again after a 502", async (method) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer(method, "/compute/thing", html(502, "Bad Gateway"), json(204, null));
    expect((await request(cloud.compute, { ...thing, method })).status).toBe(204);
  });

  test.each([
    ["502", html(502, "Bad Gateway"), 502, null],
    ["503", json(503, {}), 503, null],
    ["a broken connection", reset, null, "ECONNRESET"],
  ])("never sends a POST again after %s", async (_name, fault, status, code) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/thing", fault);
    const error = await failureOf(request(cloud.compute, { ...thing, method: "POST", body: {} }));
    expect(error).toMatchObject({ status, code, isTransient: true, method: "POST", service: "compute" });
    expect(stub.seen).toHaveLength(1);
  });

  test("a POST does not go over a connection that was used before and may be dead", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const used = new Set<unknown>();
    stub.answer("GET", "/compute/thing", (incoming, response) => {
      used.add(incoming.socket);
      void json(200, {})(incoming, response);
    });
    stub.answer("POST", "/compute/thing", (incoming, response) =>
      used.has(incoming.socket) ? reset(incoming, response) : json(202, {})(incoming, response),
    );
    await request(cloud.compute, { ...thing, method: "GET" });
    expect((await request(cloud.compute, { ...thing, method: "POST", body: {} })).status).toBe(202);
  });

  test("sends a POST again after a 429, not before Retry-After is over", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/thing", json(429, {}, { "retry-after": "1" }), json(202, {}));
    const startedAt = performance.now();
    await request(cloud.compute, { ...thing, method: "POST", body: {} });
    expect(performance.now() - startedAt).toBeGreaterThan(990);
    expect(stub.seen).toHaveLength(2);
  });

  test("does not wait for a Retry-After that ends after the deadline", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", json(503, {}, { "retry-after": "3600" }));
    const error = await failureOf(request(cloud.compute, { ...thing, method: "GET" }));
    expect(error).toMatchObject({ status: 503, retryAfterMs: 3_600_000 });
    expect(stub.seen).toHaveLength(1);
  });

  test.each([400, 403, 404, 405, 406, 409, 410, 412, 501])("takes %d for final", async (status) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", json(status, { badRequest: { code: status, message: "No way." } }));
    const error = await failureOf(request(cloud.compute, { ...thing, method: "GET" }));
    expect(error.message).toBe(`cannot touch the thing: No way (HTTP ${status} from compute)`);
    expect(stub.seen).toHaveLength(1);
  });

  test.each([
    ["a 500", json(500, { message: "database is locked" }), "database is locked (HTTP 500 from compute)"],
    [
      "a page instead of JSON",
      html(200, "Hello"),
      'cannot touch the thing: the reply is not understood (it begins with "',
    ],
  ])("asks again twice after %s", async (_, answer, sentence) => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", answer, answer, answer);
    const Thing = v.object({ id: v.string() });
    await expect(requestParsed(cloud.compute, Thing, { ...thing, method: "GET" })).rejects.toThrow(sentence);
    expect(stub.seen).toHaveLength(3);
  });

  test("sends what is no question once, although its reply is not understood", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/thing", html(200, "Hello"));
    const call = requestParsed(cloud.compute, v.object({}), { ...thing, method: "POST" });
    const error: unknown = await call.catch((reason: unknown) => reason);
    expect(isOutcomeUnknown(error)).toBe(true);
    expect(stub.seen).toHaveLength(1);
  });
});

describe("deadline and abort", () => {
  test("gives up at the deadline and says what failed last", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", html(502, "Bad Gateway"), hang);
    const call = request(cloud.compute, { ...thing, method: "GET", deadlineMs: 2000 });
    const error: unknown = await call.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({ message: "cannot touch the thing: not done after 2s" });
    expect((error as DeadlineError).cause).toMatchObject({ status: 502 });
  });

  test("covers the sign-in too", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.revokeTokens();
    stub.answerSignIns(hang);
    const call = request(cloud.compute, { ...thing, method: "GET", deadlineMs: 300 });
    await expect(call).rejects.toBeInstanceOf(DeadlineError);
  });

  test("settles at once with the signal's reason and ends the socket", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const abort = new AbortController();
    const closed = Promise.withResolvers<void>();
    stub.answer("GET", "/compute/thing", (incoming) => {
      incoming.socket.once("close", () => closed.resolve());
      abort.abort(new Error("stop it"));
    });
    const call = request(cloud.compute, { ...thing, method: "GET", signal: abort.signal });
    await expect(call).rejects.toThrow("stop it");
    await expect(closed.promise).resolves.toBeUndefined();
  });

  test("does not even start with a signal that has fired", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const call = request(cloud.compute, {
      ...thing,
      method: "GET",
      signal: AbortSignal.abort(new Error("no")),
    });
    await expect(call).rejects.toThrow("no");
    expect(stub.seen).toEqual([]);
  });

  test("an abort during the pause between two tries ends the pause", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const abort = new AbortController();
    stub.answer("GET", "/compute/thing", (incoming, response) => {
      response.on("finish", () => abort.abort(new Error("stop it")));
      void json(503, {}, { "retry-after": "30" })(incoming, response);
    });
    const call = request(cloud.compute, { ...thing, method: "GET", signal: abort.signal });
    await expect(call).rejects.toThrow("stop it");
  });
});

describe("replies", () => {
  test("refuses a reply without an end", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    let sent = 0;
    stub.answer("GET", "/compute/thing", (_incoming, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20))) sent += 65_536;
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    const call = request(cloud.compute, { ...thing, method: "GET" });
    await expect(call).rejects.toThrow("cannot touch the thing: the reply is larger than 16777216 bytes");
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test("a body that ends early is tried again", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer(
      "GET",
      "/compute/thing",
      (_incoming, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write('{"ok":');
        setImmediate(() => response.destroy());
      },
      json(200, { ok: 2 }),
    );
    expect((await request(cloud.compute, { ...thing, method: "GET" })).body).toEqual({ ok: 2 });
  });

  test("a page of HTML where JSON should be is an error that names the call", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/flavors/detail", html(200, "Please log in"));
    await expect(listFlavors(cloud, { signal })).rejects.toThrow(
      "cannot list flavors: the reply is not understood",
    );
  });

  test("errors carry the request id and never the token or the password", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", (incoming, response) => {
      const message = `bad token ${String(incoming.headers["x-auth-token"])} and ${stub.auth.password}`;
      void json(400, { badRequest: { message } }, { "x-openstack-request-id": "req-1" })(incoming, response);
    });
    const error = await failureOf(request(cloud.compute, { ...thing, method: "GET" }));
    expect(error.requestId).toBe("req-1");
    expect(JSON.stringify([error.message, error.body, error])).not.toMatch(/stub-token|stub-password/);
  });
});

describe("requestAll", () => {
  const item = v.object({ id: v.number() });

  test("follows the pages, but never to another host or path", async () => {
    await using other = await startStub();
    await using stub = await startStub();
    using cloud = await openStub(stub);
    const href = `${other.url}/elsewhere?marker=1&limit=1`;
    stub.answer(
      "GET",
      "/compute/thing",
      json(200, { things: [{ id: 1 }], things_links: [{ rel: "next", href }] }),
      json(200, { things: [{ id: 2 }], next: "/v2/thing?marker=2" }),
      json(200, { things: [{ id: 3 }] }),
    );
    const items = await requestAll(cloud.compute, "things", item, { ...thing, query: { name: "a b" } });
    expect(items).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(stub.seen.map(({ url }) => url)).toEqual([
      "/compute/thing?name=a+b",
      "/compute/thing?marker=1&limit=1",
      "/compute/thing?marker=2",
    ]);
    expect(other.seen).toEqual([]);
  });

  test("does not go in circles", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", json(200, { things: [{ id: 1 }], next: "/v2/thing?marker=1" }));
    await expect(requestAll(cloud.compute, "things", item, thing)).rejects.toThrow(
      "cannot touch the thing: a page names itself or an earlier one as the next",
    );
    expect(stub.seen).toHaveLength(2);
  });
});

describe("tokens", () => {
  test("signs in once more after a 401, and sends the call again", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/thing", json(202, { ok: 1 }));
    stub.revokeTokens();
    expect((await request(cloud.compute, { ...thing, method: "POST", body: {} })).body).toEqual({ ok: 1 });
    expect(stub.signIns).toHaveLength(2);
    expect(stub.seen.map(({ headers }) => headers["x-auth-token"])).toEqual(["stub-token-1", "stub-token-2"]);
  });

  test("a second 401 is final", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("GET", "/compute/thing", json(401, { error: { message: "no" } }));
    const error = await failureOf(request(cloud.compute, { ...thing, method: "GET" }));
    expect(isUnauthorized(error)).toBe(true);
    expect(stub.seen).toHaveLength(2);
  });

  test("a POST whose sign-in fails for a moment is sent all the same", async () => {
    await using stub = await startStub();
    using cloud = await openStub(stub);
    stub.answer("POST", "/compute/thing", json(202, {}));
    stub.revokeTokens();
    stub.answerSignIns(html(502, "Bad Gateway"), reset);
    expect((await request(cloud.compute, { ...thing, method: "POST", body: {} })).status).toBe(202);
  });
});
