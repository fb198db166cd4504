/**
 * The unix sockets between the programs and the controller. A message is its length in bytes, a line break,
 * and that many bytes; a request's fields are parted by NUL, which no argument can hold.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { AppError } from "../../src/base/errors.ts";
import type { Outcome } from "./commands/run.ts";

/** Linux keeps a socket's path in 108 bytes, the last of them NUL. */
const LONGEST_PATH = 107;

/** Answers one request; `readInput` asks the client for its standard input. `null`: never answer. */
export type Answer = (
  fields: readonly string[],
  readInput: () => Promise<string>,
  gone: AbortSignal,
) => Promise<Outcome | null>;

/** Listens on `path` until the returned function has closed it and every connection. */
export async function listen(
  path: string,
  answer: Answer,
  report: (error: unknown) => void,
): Promise<() => Promise<void>> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new AppError(
      `cannot listen on ${path}: longer than ${LONGEST_PATH} bytes, choose a shorter directory`,
    );
  }
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    serve(socket, answer).catch((error: unknown) => {
      socket.destroy();
      report(error);
    });
  });
  server.listen(path);
  await once(server, "listening");
  return async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, "close");
  };
}

/** Answers the one request that comes over `socket`. */
export async function serve(socket: Duplex, answer: Answer): Promise<void> {
  const gone = new AbortController();
  const messages = messageQueue(socket);
  socket.on("close", () => gone.abort());
  // a client that was killed resets the connection; its caller has seen the exit code
  socket.on("error", () => gone.abort());
  const request = await messages();
  if (request === undefined) return;
  const outcome = await answer(
    request.split("\0"),
    async () => {
      socket.write("input\n");
      return (await messages()) ?? "";
    },
    gone.signal,
  );
  if (outcome === null || gone.signal.aborted) return;
  const [stdout, stderr] = [Buffer.from(outcome.stdout), Buffer.from(outcome.stderr)];
  socket.end(
    Buffer.concat([Buffer.from(`${outcome.exit} ${stdout.length} ${stderr.length}\n`), stdout, stderr]),
  );
}

/** A function that gives the socket's next whole message, `undefined` after its end. */
function messageQueue(socket: Duplex): () => Promise<string | undefined> {
  let buffered = Buffer.alloc(0);
  let ended = false;
  let wake = (): void => {};
  socket.on("data", (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    wake();
  });
  for (const event of ["end", "close", "error"]) {
    socket.on(event, () => {
      ended = true;
      wake();
    });
  }
  const take = (): string | undefined => {
    const at = buffered.indexOf(10);
    if (at < 0) return undefined;
    const length = Number(buffered.subarray(0, at).toString());
    if (buffered.length < at + 1 + length) return undefined;
    const message = buffered.subarray(at + 1, at + 1 + length).toString("utf8");
    buffered = buffered.subarray(at + 1 + length);
    return message;
  };
  return async () => {
    for (;;) {
      const message = take();
      if (message !== undefined || ended) return message;
      await new Promise<void>((resolve) => void (wake = resolve));
    }
  };
}
