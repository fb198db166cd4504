/**
 * A loopback HTTP server that answers as Keystone and lets a test script every other reply. It is for
 * faults that a real cloud does not produce on demand: hangs, resets, redirects, truncated bodies.
 */
import { createServer as createTlsServer } from "node:https";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Cloud, type CloudAuth, openCloud } from "../../src/openstack/index.ts";
import { silentLogger } from "../../src/base/log.ts";

/** Gives one reply; the request's body is still unread. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** What arrived. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

export interface Stub extends AsyncDisposable {
  readonly auth: CloudAuth;
  readonly url: string;
  /** All requests but sign-ins, in their order. */
  readonly seen: Seen[];
  /** Bodies of the sign-ins. */
  readonly signIns: unknown[];
  /** Answers `method path` (no query) with these in turn, the last one for ever. */
  answer(method: string, path: string, ...answers: readonly Answer[]): void;
  /** Answers the coming sign-ins with these in turn before the usual ones. */
  answerSignIns(...answers: readonly Answer[]): void;
  /** Makes every token so far invalid. */
  revokeTokens(): void;
}

export interface StubOptions {
  /** Default one hour. */
  readonly tokenLifeMs?: number;
  /** How far this cloud's clock is ahead of ours. */
  readonly clockAheadMs?: number;
  /** Speaks HTTPS with these. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A JSON reply. */
export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(body));
  };

/** An HTML page, as load balancers send it. */
export const html =
  (status: number, text: string): Answer =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": "text/html" });
    response.end(`<html><head><title>x</title></head><body><h1>${text}</h1></body></html>`);
  };

/** Breaks the connection without a reply. */
export const reset: Answer = (request) => {
  request.resume();
  request.socket.resetAndDestroy();
};

/** Never replies. */
export const hang: Answer = (request) => {
  request.resume();
};

/** The body of a request as text. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Starts a stub; dispose of it to end its sockets. */
export async function startStub(options: StubOptions = {}): Promise<Stub> {
  const seen: Seen[] = [];
  const signIns: unknown[] = [];
  const routes = new Map<string, Answer[]>();
  const signInAnswers: Answer[] = [];
  let valid = new Set<string>();
  let tokens = 0;
  let url = "";

  const issueToken: Answer = async (request, response) => {
    signIns.push(JSON.parse(await bodyOf(request)));
    tokens += 1;
    const id = `stub-token-${tokens}`;
    valid.add(id);
    const now = Date.now() + (options.clockAheadMs ?? 0);
    const service = (type: string, path: string): object => ({
      type,
      name: type,
      endpoints: [{ interface: "public", region: "RegionOne", region_id: "RegionOne", url: url + path }],
    });
    const token = {
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + (options.tokenLifeMs ?? 3_600_000)).toISOString(),
      project: { id: "p1", name: "builder", domain: { id: "default", name: "Default" } },
      user: { id: "u1", name: "builder" },
      catalog: [service("compute", "/compute"), service("image", "/image"), service("network", "/network")],
    };
    await json(201, { token }, { "x-subject-token": id })(request, response);
  };

  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = "", url: target = "", headers } = request;
    const { pathname } = new URL(target, "http://stub");
    const respond = async (): Promise<void> => {
      if (pathname === "/v3/auth/tokens")
        return await (signInAnswers.shift() ?? issueToken)(request, response);
      seen.push({ method, url: target, headers });
      if (!valid.has(String(headers["x-auth-token"]))) {
        const error = { code: 401, title: "Unauthorized", message: "The request requires authentication." };
        return await json(401, { error })(request, response);
      }
      const answers = routes.get(`${method} ${pathname}`) ?? [];
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      await (answer ?? json(404, { itemNotFound: { code: 404, message: `no ${pathname}` } }))(
        request,
        response,
      );
    };
    respond().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  };
  const server = options.tls === undefined ? createServer(listen) : createTlsServer(options.tls, listen);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    auth: {
      authUrl: `${url}/v3`,
      projectName: "builder",
      projectDomainName: "Default",
      username: "builder",
      userDomainName: "Default",
      password: "stub-password",
      region: null,
      caFile: null,
    },
    seen,
    signIns,
    answer: (method, path, ...answers) => void routes.set(`${method} ${path}`, [...answers]),
    answerSignIns: (...answers) => void signInAnswers.push(...answers),
    revokeTokens: () => void (valid = new Set()),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** A cloud opened on a stub; disposing closes it. */
export async function openStub(stub: Stub): Promise<Cloud & Disposable> {
  const { signal } = new AbortController();
  const cloud = await openCloud("stub", stub.auth, { signal, log: silentLogger });
  return { ...cloud, [Symbol.dispose]: () => cloud.close() };
}
