/** The operator's webhook: keeps what it is told. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A running webhook; dispose of it to stop it. */
export interface WebhookServer extends AsyncDisposable {
  /** With the token in its query. */
  readonly url: string;
  /** The bodies that came, oldest first. */
  readonly bodies: () => readonly string[];
}

/** Serves a webhook on a free port of the loopback address; without `token` it answers 403. */
export async function serveWebhook(token: string): Promise<WebhookServer> {
  const bodies: string[] = [];
  const server = createServer((request, reply) => {
    text(request).then(
      (body) => {
        const isKnown = request.url === `/told?token=${token}`;
        if (isKnown) bodies.push(body);
        reply.writeHead(isKnown ? 204 : 403).end();
      },
      () => reply.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/told?token=${token}`,
    bodies: () => bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
