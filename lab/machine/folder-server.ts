/** One folder over HTTP, as Juju's controller serves charms to its machines. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

/** A running server; dispose of it to stop it. */
export interface FolderServer extends AsyncDisposable {
  /** Of the folder as a compressed tar. */
  readonly url: string;
}

/** Serves `folder` to whoever asks, on a free port of the address `host`. */
export async function serveFolder(folder: string, host: string): Promise<FolderServer> {
  const server = createServer((_request, reply) => {
    const options = ["--use-compress-program", "gzip -1", "--owner", "0", "--group", "0"];
    const tar = spawn("tar", [...options, "-C", folder, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
    // what breaks off is no whole tar: who fetches it tells
    tar.on("error", () => reply.destroy());
    pipeline(tar.stdout, reply, () => {});
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
