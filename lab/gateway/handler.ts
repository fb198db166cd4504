/** What the gateway answers: base images below /cloud-images, runner releases below /runner. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isMissing } from "../../src/base/files.ts";
import { RUNNER_VERSION, runnerArchives } from "./runner.ts";

/** Answers one request; settles when the answer is sent or the client has gone. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Header of every answer that holds the gateway's process id: tells it from another program on its port. */
export const PID_HEADER = "x-lab-gateway-pid";

/** Path segments of a mirror's files; no dots in front, so no way out of the folder. */
const IMAGE_PATH = /^\/cloud-images\/((?:[A-Za-z0-9][A-Za-z0-9._-]*\/)*[A-Za-z0-9][A-Za-z0-9._-]*)$/;

/**
 * The gateway's request handler: GET and HEAD for the files in the folder `images` (with Content-Length,
 * Last-Modified and a single byte Range) and for the runner's release pages, laid out as on GitHub.
 */
export function gatewayHandler(images: string): Handler {
  const pages = runnerPages();
  return async (request, response) => {
    response.setHeader(PID_HEADER, process.pid);
    if (request.method !== "GET" && request.method !== "HEAD")
      return answer(response, 405, "only GET and HEAD");
    const { pathname } = new URL(request.url ?? "/", "http://gateway");
    if (pathname === "/runner/releases/latest") {
      response.setHeader("location", `/runner/releases/tag/v${RUNNER_VERSION}`);
      return answer(response, 302, "");
    }
    const page = pages.get(pathname);
    if (page !== undefined) {
      response.writeHead(200, { "content-type": page.type, "content-length": page.data.length });
      response.end(request.method === "HEAD" ? undefined : page.data);
      return;
    }
    const file = IMAGE_PATH.exec(pathname)?.[1];
    if (file === undefined) return answer(response, 404, `no ${pathname} here`);
    return await sendFile(join(images, file), request, response);
  };
}

interface Page {
  readonly type: string;
  readonly data: Buffer;
}

function runnerPages(): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  const page = Buffer.from(`<title>Release v${RUNNER_VERSION}</title> stand-in of the lab\n`);
  pages.set(`/runner/releases/tag/v${RUNNER_VERSION}`, { type: "text/html", data: page });
  for (const { name, data, sha256 } of runnerArchives()) {
    const path = `/runner/releases/download/v${RUNNER_VERSION}/${name}`;
    pages.set(path, { type: "application/gzip", data });
    pages.set(`${path}.sha256`, { type: "text/plain", data: Buffer.from(`${sha256}  ${name}\n`) });
  }
  return pages;
}

async function sendFile(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const found = await statFile(path);
  if (found === undefined) return answer(response, 404, "no such file");
  const range = parseRange(request.headers.range, found.size);
  if (range === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${found.size}`);
    return answer(response, 416, "range outside of the file");
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": end - start + 1,
    "last-modified": found.modified.toUTCString(),
    "accept-ranges": "bytes",
    ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end}/${found.size}` }),
  });
  if (request.method === "HEAD" || found.size === 0) {
    response.end();
    return;
  }
  await pipeline(createReadStream(path, { start, end }), response);
}

async function statFile(path: string): Promise<{ size: number; modified: Date } | undefined> {
  try {
    const { size, mtime, isFile } = await stat(path).then((found) => ({
      size: found.size,
      mtime: found.mtime,
      isFile: found.isFile(),
    }));
    return isFile ? { size, modified: mtime } : undefined;
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && "code" in error && error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
}

/**
 * The one byte range of a Range header against a file of `size` bytes (RFC 9110, 14.2): `undefined` where
 * there is none or one that may be ignored (several ranges, another unit).
 */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  const [first, last] = [match?.[1] ?? "", match?.[2] ?? ""];
  if (match === null || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  return start >= size || start > end ? "unsatisfiable" : { start, end };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(text) });
  response.end(response.req.method === "HEAD" ? undefined : text);
}
