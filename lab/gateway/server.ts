/** The gateway process: `node server.ts ADDRESS PORT IMAGES` serves until SIGTERM. One line per request. */
import { createServer } from "node:http";
import { describe } from "../../src/base/errors.ts";
import { gatewayHandler } from "./handler.ts";

const [address, port, images] = process.argv.slice(2);
if (address === undefined || port === undefined || images === undefined) {
  throw new Error("usage: server.ts ADDRESS PORT IMAGES");
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
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
