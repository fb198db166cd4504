/** A loopback HTTP server whose answers a test scripts: mirrors, release pages, script hosts. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A running server; dispose of it. */
export interface HttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or with https; no slash at the end. */
  readonly url: string;
  /** Paths that were asked for, in their order. */
  readonly paths: readonly string[];
}

/**
 * Starts a server, with `tls` behind TLS; paths that `routes` does not name are 404. A text or bytes are a reply with
 * status 200.
 */
export async function startHttpServer(
  routes: Readonly<
    Record<string, string | Uint8Array | ((request: IncomingMessage, response: ServerResponse) => void)>
  >,
  tls: { readonly key: string; readonly cert: string } | null = null,
): Promise<HttpServer> {
  const paths: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? "";
    paths.push(path);
    const route = routes[path];
    if (typeof route === "function") route(request, response);
    else response.writeHead(route === undefined ? 404 : 200).end(route);
  };
  const server = tls === null ? createServer(answer) : createTlsServer(tls, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `${tls === null ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** An address on which nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = await startHttpServer({});
  await server[Symbol.asyncDispose]();
  return server.url;
}
