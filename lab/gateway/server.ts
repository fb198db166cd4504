/**
 * The gateway process: `node server.ts ADDRESS PORT IMAGES [PROXY-PORT APT-PORT]` serves until SIGTERM, and is a
 * proxy on the second port. One line per request.
 */
import { createServer } from "node:http";
import { describe } from "../../src/base/errors.ts";
import { PROXY_ACCOUNT } from "../layout.ts";
import { gatewayHandler } from "./handler.ts";
import { createProxy } from "./proxy.ts";

const [address, port, images, proxyPort, aptPort] = process.argv.slice(2);
if (address === undefined || port === undefined || images === undefined) {
  throw new Error("usage: server.ts ADDRESS PORT IMAGES [PROXY-PORT APT-PORT]");
}
const handle = gatewayHandler(images);
const server = createServer((request, response) => {
  handle(request, response).then(
    () => console.log(new Date().toISOString(), request.method, request.url, response.statusCode),
    (error: unknown) => {
      console.error(new Date().toISOString(), request.method, request.url, describe(error));
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    },
  );
});
server.listen(Number(port), address, () => console.log(`listening on ${address}:${port}`));
const servers = [server];
if (proxyPort !== undefined) {
  const log = (line: string): void => console.log(new Date().toISOString(), "proxy", line);
  const proxy = createProxy({ ...PROXY_ACCOUNT, aptCache: `${address}:${aptPort}`, log });
  servers.push(proxy.listen(Number(proxyPort), address, () => log(`listening on ${address}:${proxyPort}`)));
}
process.once("SIGTERM", () => {
  for (const one of servers) {
    one.close();
    one.closeAllConnections();
  }
});
