/** What the proxy says itself, and what it takes care of when it passes a message on. */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Fault } from "./rules.ts";

/** Headers between two neighbours alone (RFC 9110, 7.6.1). */
const HOP = new Set(["connection", "keep-alive", "transfer-encoding", "host", "expect", "upgrade"]);
const PAGE = "<html><head><title>Bad gateway</title></head><body><h1>The page is away</h1></body></html>\n";

/** Calls `then` when what was written to `onward` so far is on its way. */
export function afterSending(onward: ClientRequest, then: () => void): void {
  const { socket } = onward;
  if (socket === null) onward.once("socket", () => afterSending(onward, then));
  else if (socket.connecting) socket.once("connect", () => setImmediate(then));
  else setImmediate(then);
}

/** Answers in the service's place. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  fault: Extract<Fault, { kind: "status" | "html" }>,
): Promise<void> {
  request.resume();
  const isPage = fault.kind === "html";
  const body = isPage
    ? PAGE
    : JSON.stringify({ error: { code: fault.status, message: fault.message ?? "a fault of the lab" } });
  response.writeHead(fault.status, {
    "content-type": isPage ? "text/html" : "application/json",
    "content-length": Buffer.byteLength(body),
    connection: "close",
    ...(fault.kind === "status" && fault.retryAfter !== undefined
      ? { "retry-after": String(fault.retryAfter) }
      : {}),
  });
  response.end(body);
  await new Promise<void>((resolve) => response.once("close", resolve));
}

/** The headers that go on to the next neighbour. */
export function withoutHop(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || HOP.has(name) ? [] : [[name, value] as const],
    ),
  );
}
