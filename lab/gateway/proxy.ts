/**
 * The site's HTTP proxy, as a company has one: forwards requests with an absolute address and CONNECT tunnels
 * (RFC 9112, 3.2.2; RFC 9110, 9.3.6), for those who know the password (RFC 7617). Debian's archive, which this
 * machine may reach by another way only, is answered by the apt cache.
 */
import { type IncomingMessage, request as httpRequest, type Server, createServer } from "node:http";
import { connect } from "node:net";
import { pipeline } from "node:stream/promises";

/** Who may use the proxy, and where it gets Debian's archive. */
export interface ProxyOptions {
  readonly username: string;
  readonly password: string;
  /** `HOST:PORT` of apt-cacher-ng. */
  readonly aptCache: string;
  /** Hears `GET http://host/path 200` of each request that was let in, `407` of each that was not. */
  readonly log: (line: string) => void;
}

const ARCHIVE = "deb.debian.org";
/** Headers between the client and this proxy alone. */
const OWN = new Set(["proxy-authorization", "proxy-connection", "connection", "keep-alive"]);

/** The proxy, not listening yet. */
export function createProxy(options: ProxyOptions): Server {
  const expected = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString("base64")}`;
  const isLetIn = (request: IncomingMessage): boolean => {
    if (request.headers["proxy-authorization"] === expected) return true;
    options.log(`${request.method} ${request.url} 407`);
    return false;
  };
  const server = createServer((request, response) => {
    if (!isLetIn(request)) {
      response.writeHead(407, { "proxy-authenticate": 'Basic realm="lab"' }).end();
      return;
    }
    if (!URL.canParse(request.url ?? "")) {
      response.writeHead(400).end("the address must be absolute\n");
      return;
    }
    const url = new URL(request.url ?? "");
    const onward =
      url.hostname === ARCHIVE ? `http://${options.aptCache}/${ARCHIVE}${url.pathname}${url.search}` : url;
    const headers = Object.entries(request.headers).filter(([name]) => !OWN.has(name));
    const forwarded = httpRequest(onward, {
      method: request.method ?? "GET",
      headers: { ...Object.fromEntries(headers), host: new URL(onward).host },
    });
    forwarded.on("response", (reply) => {
      options.log(`${request.method} ${url.href} ${reply.statusCode}`);
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      // either side may go away; the other one sees it
      pipeline(reply, response).catch(() => response.destroy());
    });
    forwarded.on("error", (error) => {
      options.log(`${request.method} ${url.href} 502 ${error.message}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(`${error.message}\n`);
    });
    pipeline(request, forwarded).catch(() => forwarded.destroy());
  });
  server.on("connect", (request, socket) => {
    if (!isLetIn(request)) {
      socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="lab"\r\n\r\n',
      );
      return;
    }
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(request.url ?? "") ?? [];
    options.log(`CONNECT ${request.url} 200`);
    const onward = connect(Number(port), host, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    Promise.all([pipeline(socket, onward), pipeline(onward, socket)]).catch(() => {
      onward.destroy();
      socket.destroy();
    });
  });
  return server;
}
