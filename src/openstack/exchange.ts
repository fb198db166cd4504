/** One HTTP request and its reply, read to the end. Knows neither retries nor services. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { AppError } from "../base/errors.ts";
import type { HttpRequest } from "./types.ts";

/** No JSON reply of these services comes near this size; more is a fault or an attack. */
export const REPLY_LIMIT_BYTES = 16 * 1024 * 1024;

/** A whole reply. */
export interface RawReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * Sends the request that `open` starts and reads its reply, whatever its status. Rejects with the transport's
 * error, with the signal's reason (and ends the socket) when it fires, with {@link AppError} when the reply
 * is larger than `limitBytes`.
 */
export async function exchange(
  open: () => HttpRequest,
  signal: AbortSignal,
  limitBytes = REPLY_LIMIT_BYTES,
): Promise<RawReply> {
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const request = open();
    const chunks: Buffer[] = [];
    let size = 0;
    let response: IncomingMessage | undefined;
    const abort = (): void => {
      request.abort();
      reject(signal.reason);
    };
    const leave = (): void => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort, { once: true });
    request.on("response", (message: IncomingMessage) => (response = message));
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limitBytes) return;
      leave();
      request.abort();
      reject(new AppError(`the reply is larger than ${limitBytes} bytes`));
    });
    request.on("error", (error: Error) => {
      leave();
      reject(error);
    });
    request.on("complete", () => {
      leave();
      if (response === undefined) return reject(new AppError("the exchange ended without a reply"));
      const text = Buffer.concat(chunks).toString("utf8");
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
    });
  });
}

/** The text as JSON where it is JSON, else the text itself; `null` for an empty one. */
export function parseBody(text: string): unknown {
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return text; // an HTML page of a proxy, or Glance's
  }
}

/** A response header as text; `null` where it is absent. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  if (value === undefined) return null;
  return Array.isArray(value) ? (value[0] ?? null) : value;
}

/** The id that OpenStack gave to the request; `null` where the reply names none. */
export function requestIdOf(headers: IncomingHttpHeaders): string | null {
  return headerText(headers, "x-openstack-request-id") ?? headerText(headers, "x-compute-request-id");
}

/**
 * ` redirects to https://host, which is not followed`, for a message; empty for any other reply. Paths and queries are
 * left out, they may hold a secret.
 */
export function redirectOf({ status, headers }: RawReply, url: string): string {
  const location = headerText(headers, "location");
  if (status < 300 || status > 399 || location === null) return "";
  const there = URL.canParse(location, url) ? new URL(location, url).origin : "what is no address";
  return ` redirects to ${there}, which is not followed`;
}

/**
 * Retry-After in milliseconds from now: seconds or a date (RFC 9110, section 10.2.3), which is one of the sender's clock,
 * as its Date header is; `null` where absent.
 */
export function retryAfterOf(headers: IncomingHttpHeaders, now: number): number | null {
  const value = headerText(headers, "retry-after");
  if (value === null) return null;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  const sent = Date.parse(headerText(headers, "date") ?? "");
  return Number.isNaN(at) ? null : Math.max(0, at - (Number.isNaN(sent) ? now : sent));
}

/** Code of a transport error such as ECONNRESET; `null` where it has none. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
