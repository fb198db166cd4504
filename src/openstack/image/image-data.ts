/** The bytes of images, as streams: nothing is held but what is between two sockets. */
import type { IncomingMessage } from "node:http";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { seconds, withDeadline } from "../../base/deadline.ts";
import { AppError, asError, DeadlineError } from "../../base/errors.ts";
import { retry } from "../../base/retry.ts";
import { isUnauthorized, mayStartAnew, ReplyError } from "../errors.ts";
import { failed, refused, urlOf } from "../request.ts";
import { LASTING_TOKEN_MS } from "../token.ts";
import type { Cloud, HttpRequest, OutgoingCall } from "../types.ts";
import { getImage } from "./images.ts";

/** A connection that closed tells why, if at all, within this. */
const LAST_WORD_MS = seconds(5);
/** Of an error page so much is read. */
const ERROR_BODY_BYTES = 64 * 1024;

/** What Glance answers when it has all (Image API v2, upload binary image data). */
const UPLOADED = 204;

const STREAM_TYPE = { "Content-Type": "application/octet-stream" };

/**
 * Fills a queued image with `data`, in constant memory and no faster than Glance takes it. With `sizeBytes`
 * the length is announced and data of another length is an error, else it travels in chunks. Throws
 * {@link OpenStackError} when Glance refuses, the data's own error when reading it fails. It cannot be tried
 * again with the same image: on a failure the caller deletes that.
 */
export async function uploadImage(
  cloud: Cloud,
  id: string,
  data: AsyncIterable<Uint8Array> | Readable,
  options: { readonly sizeBytes?: number; readonly signal: AbortSignal },
): Promise<void> {
  const { signal, sizeBytes } = options;
  const what = `upload data to image ${id}`;
  const source = data instanceof Readable ? data : Readable.from(data, { objectMode: false });
  try {
    // a call that can be repeated finds the 401 and the 404 that would cost the stream
    const image = await getImage(cloud, id, { signal });
    if (image.status !== "queued") throw new AppError(`cannot ${what}: it is ${image.status}, not queued`);
    const generation = await cloud.image.authorize(signal, LASTING_TOKEN_MS);
    const length = sizeBytes === undefined ? {} : { "Content-Length": String(sizeBytes) };
    const call: OutgoingCall = {
      method: "PUT",
      url: urlOf(cloud.image, `/images/${encodeURIComponent(id)}/file`, {}),
      headers: { ...STREAM_TYPE, ...length },
      idleMs: cloud.image.limits.transferSilence,
      repeatable: false,
    };
    await dropping(cloud, generation, () => send(cloud, call, what, source, sizeBytes, signal));
  } catch (error) {
    source.destroy();
    signal.throwIfAborted();
    throw error;
  }
}

/** Does `call`; a token that it was refused with is used no more: the next call signs in. */
async function dropping<T>(cloud: Cloud, generation: number, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isUnauthorized(error)) cloud.image.dropToken(generation);
    throw error;
  }
}

async function send(
  cloud: Cloud,
  call: OutgoingCall,
  what: string,
  source: Readable,
  sizeBytes: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const request = cloud.image.open(call);
  const broken = new AbortController();
  const answered = new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      broken.abort(error);
      reject(error);
    };
    request.on("error", (cause) => fail(failed(cloud.image, call, what, cause)));
    request.on("response", (response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      if (status === UPLOADED) {
        request.on("complete", resolve);
        return;
      }
      if (status >= 200 && status < 300) {
        // somebody in between answers in Glance's place: the image would stay queued for ever
        fail(new ReplyError(`cannot ${what}: the reply is not understood (HTTP ${status}, not ${UPLOADED})`));
        return;
      }
      // an early refusal: what is still to send would only hide it behind a broken pipe
      void readError(request).then((text) =>
        fail(refused(cloud.image, call, what, { status, headers: response.headers, text })),
      );
    });
  });
  answered.catch(() => {}); // `broken` tells of it while data flows, it is awaited itself afterwards
  let closed = false;
  request.on("close", () => (closed ||= !source.destroyed || source.readableEnded));
  const either = AbortSignal.any([signal, broken.signal]);
  try {
    await pipeline(source, exactly(sizeBytes, what), request, { signal: either });
  } catch (error) {
    broken.signal.throwIfAborted();
    if (!closed) throw error; // of the data
    await lastWord(answered, signal, failed(cloud.image, call, what, error));
    return;
  }
  await withDeadline(either, cloud.image.limits.transferSilence, `cannot ${what}`, () => answered);
}

/**
 * Waits a moment for the reply of a closed connection: the pipeline sees the socket go before the reply, or the
 * error, that came over it has been read. Throws `silence` when nothing is to come.
 */
async function lastWord(answered: Promise<void>, signal: AbortSignal, silence: Error): Promise<void> {
  try {
    await withDeadline(signal, LAST_WORD_MS, silence.message, () => answered);
  } catch (error) {
    throw error instanceof DeadlineError ? silence : error;
  }
}

const prematureClose = (): Error =>
  Object.assign(new Error("the connection closed in the middle"), { code: "ERR_STREAM_PREMATURE_CLOSE" });

/** Lets `size` bytes pass, neither more nor less: both would garble the HTTP connection. */
function exactly(size: number | undefined, what: string): Transform {
  let seen = 0;
  const wrong = (): AppError =>
    new AppError(`cannot ${what}: the data has ${seen} bytes or more, not ${size}`);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (size !== undefined && seen > size) done(wrong());
      else done(null, chunk);
    },
    flush(done) {
      if (size !== undefined && seen !== size) done(wrong());
      else done();
    },
  });
}

async function readError(request: HttpRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  return await new Promise((resolve) => {
    const end = (): void => resolve(Buffer.concat(chunks).toString("utf8"));
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= ERROR_BODY_BYTES) chunks.push(chunk);
      else end();
    });
    for (const event of ["complete", "error", "close", "abort"]) request.on(event, end);
  });
}

/**
 * The image's bytes, from the offset `from` on, which Glance has begun to send. The stream fails when the connection breaks or fewer
 * bytes come than were announced, and with the signal's reason; it is to be read to its end or destroyed.
 * Throws {@link OpenStackError} when Glance refuses. Compare the hash with the image's `hashValue`.
 */
export async function downloadImage(
  cloud: Cloud,
  id: string,
  options: { readonly signal: AbortSignal; readonly from?: number },
): Promise<Readable> {
  const { signal, from = 0 } = options;
  await getImage(cloud, id, { signal }); // renews a token that was revoked
  const policy = {
    attempts: 4,
    firstPauseMs: 250,
    longestPauseMs: 8000,
    when: mayStartAnew,
  };
  return await retry(signal, policy, async () => {
    const generation = await cloud.image.authorize(signal, LASTING_TOKEN_MS);
    return await dropping(cloud, generation, () => begin(cloud, id, from, signal));
  });
}

async function begin(cloud: Cloud, id: string, from: number, signal: AbortSignal): Promise<Readable> {
  const what = `download image ${id}`;
  const call: OutgoingCall = {
    method: "GET",
    url: urlOf(cloud.image, `/images/${encodeURIComponent(id)}/file`, {}),
    headers: from === 0 ? STREAM_TYPE : { ...STREAM_TYPE, Range: `bytes=${from}-` },
    idleMs: cloud.image.limits.transferSilence,
    repeatable: true,
  };
  const request = cloud.image.open(call);
  let seen = 0;
  let announced: number | null = null;
  /** Bytes to drop: a Glance or a proxy that knows no ranges sends all of them. */
  let dropped = 0;
  const checked = new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      const skip = Math.min(dropped, chunk.length);
      dropped -= skip;
      done(null, skip === 0 ? chunk : chunk.subarray(skip));
    },
    flush(done) {
      if (announced === null || seen === announced) done();
      else done(new AppError(`cannot ${what}: ${seen} of ${announced} bytes came`));
    },
  });
  request.on("data", (chunk: Buffer) => (seen += chunk.length));
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.on("response", (message: IncomingMessage) => {
      const length = message.headers["content-length"];
      if (length !== undefined) announced = Number(length);
      if (message.statusCode === 200) dropped = from;
      resolve(message);
    });
    const fail = (cause: Error): void => {
      const error = failed(cloud.image, call, what, cause);
      checked.destroy(error);
      reject(error);
    };
    request.on("error", fail);
    // before the pipeline hears of it, whose "Premature close" names neither call nor host
    request.on("close", () => {
      if (!checked.writableEnded) fail(prematureClose());
    });
  });
  const abort = (): void => void checked.destroy(asError(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  // the sink is attached in the turn that opens the request: a later one loses the first bytes; a failure
  // shows in `checked`, which is what the caller has
  pipeline(request, checked)
    .catch(() => {})
    .finally(() => signal.removeEventListener("abort", abort));
  let message: IncomingMessage;
  try {
    message = await withDeadline(signal, cloud.image.limits.firstByte, `cannot ${what}`, () => response);
  } catch (error) {
    request.abort();
    checked.destroy();
    signal.throwIfAborted();
    throw error;
  }
  if (message.statusCode === 200 || (from > 0 && message.statusCode === 206)) return checked;
  let text = "";
  for await (const chunk of checked) {
    text += String(chunk);
    // an error page may have no end
    if (text.length >= ERROR_BODY_BYTES) break;
  }
  throw refused(cloud.image, call, what, { status: message.statusCode ?? 0, headers: message.headers, text });
}
