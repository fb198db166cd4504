/** Serves the operator's script of the story, as a company's web server would. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Leaves proof of its secret without leaving the secret; says it aloud, which must not reach any log. */
const SCRIPT = `set -eu
echo "the script runs with the secret $story_token"
install -d /opt/story
printf '%s' "$story_token" | sha256sum | cut -d' ' -f1 > /opt/story/secret.sha256
apt-get --version > /dev/null
`;

/** A running server; dispose of it to stop it. */
export interface ScriptServer extends AsyncDisposable {
  readonly url: string;
  /** Of the script, in hex. */
  readonly sha256: string;
}

/** Serves `/provision.sh` on a free port of the loopback address, behind one redirect. */
export async function serveScript(script: string = SCRIPT): Promise<ScriptServer> {
  const server = createServer((request, reply) => {
    if (request.url === "/provision.sh") {
      reply.writeHead(302, { location: "/v1/provision.sh" }).end();
    } else if (request.url === "/v1/provision.sh") {
      reply.writeHead(200, { "content-type": "text/x-shellscript" }).end(script);
    } else {
      reply.writeHead(404).end("not found\n");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/provision.sh`,
    sha256: createHash("sha256").update(script).digest("hex"),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
