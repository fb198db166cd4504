import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  type Cloud,
  downloadImage,
  mayStartAnew,
  OpenStackError,
  uploadImage,
} from "../../../../src/openstack/index.ts";
import {
  type Answer,
  hang,
  html,
  json,
  openStub,
  reset,
  startStub,
  type Stub,
} from "../../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const FILE = "/image/v2/images/i1/file";

async function openWithImage(stub: Stub, status: string): Promise<Cloud & Disposable> {
  const image = { id: "i1", name: "x", status, visibility: "private", created_at: "2026-11-23T20:00:00Z" };
  stub.answer("GET", "/image/v2/images/i1", json(200, image));
  return await openStub(stub);
}

/** Yields `count` chunks of 64 KiB and counts how many were asked for. */
function chunks(count: number): { data: AsyncIterable<Uint8Array>; taken: () => number } {
  let taken = 0;
  async function* data(): AsyncGenerator<Uint8Array> {
    for (; taken < count; taken += 1) yield Buffer.alloc(65_536, taken);
  }
  return { data: data(), taken: () => taken };
}

/** Takes the whole body and stores its length and the announced one. */
const takeAll =
  (into: { bytes: number; announced: string | undefined }): Answer =>
  async (request, response) => {
    into.announced = request.headers["content-length"];
    for await (const chunk of request) into.bytes += (chunk as Buffer).length;
    response.writeHead(204).end();
  };

describe("uploadImage", () => {
  test.each([
    ["in chunks", undefined],
    ["with its length", 100 * 65_536],
  ])("sends all data %s", async (_name, sizeBytes) => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    const got = { bytes: 0, announced: undefined };
    stub.answer("PUT", FILE, takeAll(got));
    const size = sizeBytes === undefined ? {} : { sizeBytes };
    await uploadImage(cloud, "i1", chunks(100).data, { ...size, signal });
    expect(got).toEqual({ bytes: 100 * 65_536, announced: sizeBytes?.toString() });
    expect(stub.seen.at(-1)?.headers["content-type"]).toBe("application/octet-stream");
  });

  test("reports an early 413, and stops sending", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, html(413, "Image storage quota exceeded"));
    const endless = chunks(100_000);
    const error: unknown = await uploadImage(cloud, "i1", endless.data, { signal }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(OpenStackError);
    expect(error).toMatchObject({
      status: 413,
      message: "cannot upload data to image i1: Image storage quota exceeded (HTTP 413 from image)",
    });
    expect(endless.taken()).toBeLessThan(10_000);
  });

  test("reports an early 413 also when the server closes at once", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, (_request, response) => {
      response.writeHead(413, { connection: "close" });
      response.end("Too much");
    });
    await expect(uploadImage(cloud, "i1", chunks(10_000).data, { signal })).rejects.toThrow(
      "cannot upload data to image i1: Too much (HTTP 413 from image)",
    );
  });

  test("takes no more data than the other side does", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    const abort = new AbortController();
    const closed = Promise.withResolvers<void>();
    stub.answer("PUT", FILE, (request) => {
      request.socket.once("close", () => closed.resolve());
      request.pause();
      abort.signal.addEventListener("abort", () => void request.resume()); // only a reader sees the end
    });
    const endless = chunks(100_000);
    const upload = uploadImage(cloud, "i1", endless.data, { signal: abort.signal });
    let before = -1;
    await expect
      .poll(() => [endless.taken() > 0 && endless.taken() === before, (before = endless.taken())][0], {
        interval: 100,
      })
      .toBe(true);
    abort.abort(new Error("stop it"));
    await expect(upload).rejects.toThrow("stop it");
    expect(endless.taken()).toBeLessThan(1000);
    await expect(closed.promise).resolves.toBeUndefined();
  });

  test("fails when the connection breaks", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, (request) => {
      request.once("data", () => request.socket.resetAndDestroy());
    });
    const error: unknown = await uploadImage(cloud, "i1", chunks(10_000).data, { signal }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(OpenStackError);
    expect(error).toMatchObject({ status: null, isTransient: true });
  });

  /** `cloud` whose upload's request closes once `when` has happened to it. */
  const closing = (cloud: Cloud, when: "response" | "socket"): Cloud => {
    const open: Cloud["image"]["open"] = (call) => {
      const request = cloud.image.open(call);
      if (call.method === "PUT") request.once(when, () => request.emit("close"));
      return request;
    };
    return { ...cloud, image: { ...cloud.image, open } };
  };

  test("tells the refusal also when the connection closes before that has been read", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, html(503, "Busy"));
    await expect(
      uploadImage(closing(cloud, "response"), "i1", chunks(1000).data, { signal }),
    ).rejects.toMatchObject({
      status: 503,
      message: expect.stringMatching(/^cannot upload data to image i1: .*\(HTTP 503 from image\)$/),
    });
  });

  test("says which call broke when the connection closes without a reply", { timeout: 20_000 }, async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, hang);
    const error: unknown = await uploadImage(closing(cloud, "socket"), "i1", chunks(100_000).data, {
      signal,
    }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(OpenStackError);
    expect(error).toMatchObject({
      isTransient: true,
      message: expect.stringMatching(
        /^cannot upload data to image i1: ERR_STREAM_PREMATURE_CLOSE while talking to 127/,
      ),
    });
  });

  test("takes no other success for Glance's", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, html(200, "Welcome"));
    await expect(uploadImage(cloud, "i1", chunks(1000).data, { signal })).rejects.toThrow(
      "cannot upload data to image i1: the reply is not understood (HTTP 200, not 204)",
    );
  });

  test("fails with the data's own end when the data ends without a word", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, takeAll({ bytes: 0, announced: undefined }));
    const data = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
        this.destroy();
      },
    });
    const error: unknown = await uploadImage(cloud, "i1", data, { signal }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(OpenStackError);
  });

  test.each([
    ["less", 99],
    ["more", 100_000],
  ])("fails when there is %s data than announced, and sends no more than that", async (_name, count) => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, takeAll({ bytes: 0, announced: undefined }));
    const { data, taken } = chunks(count);
    const upload = uploadImage(cloud, "i1", data, { sizeBytes: 100 * 65_536, signal });
    await expect(upload).rejects.toThrow(
      /^cannot upload data to image i1: the data has \d+ bytes or more, not 6553600$/,
    );
    expect(taken()).toBeLessThan(200);
  });

  test("fails with the error of the data", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    stub.answer("PUT", FILE, takeAll({ bytes: 0, announced: undefined }));
    const data = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
        this.destroy(new Error("disk on fire"));
      },
    });
    await expect(uploadImage(cloud, "i1", data, { signal })).rejects.toThrow("disk on fire");
  });

  test("does not touch an image that has data", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    await expect(uploadImage(cloud, "i1", chunks(1).data, { signal })).rejects.toThrow(
      "cannot upload data to image i1: it is active, not queued",
    );
    expect(stub.seen.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("uses a fresh token when the old one was revoked", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    const got = { bytes: 0, announced: undefined };
    stub.answer("PUT", FILE, takeAll(got));
    stub.revokeTokens();
    await uploadImage(cloud, "i1", chunks(3).data, { signal });
    expect(got.bytes).toBe(3 * 65_536);
  });

  test("signs in again for the next try when its token ended right before the data", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "queued");
    const got = { bytes: 0, announced: undefined };
    stub.answer("PUT", FILE, json(401, { error: { code: 401, message: "no" } }), takeAll(got));
    const error = await uploadImage(cloud, "i1", chunks(3).data, { signal }).catch(
      (reason: unknown) => reason,
    );
    expect(mayStartAnew(error)).toBe(true);
    expect(stub.signIns).toHaveLength(1);
    await uploadImage(cloud, "i1", chunks(3).data, { signal });
    expect(stub.signIns).toHaveLength(2);
    expect(got.bytes).toBe(3 * 65_536);
  });
});

describe("downloadImage", () => {
  const size = 5_000_000;
  const bytes = Buffer.alloc(size, "0123456789");

  const sizeOf = async (stream: Readable): Promise<number> => {
    let seen = 0;
    for await (const chunk of stream) seen += (chunk as Buffer).length;
    return seen;
  };

  test("gives all bytes, also to a reader that comes late", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    stub.answer("GET", FILE, (_request, response) => void response.end(bytes));
    const stream = await downloadImage(cloud, "i1", { signal });
    await expect.poll(() => stream.readableLength).toBeGreaterThan(1_000_000 / 2);
    const got: Buffer[] = [];
    for await (const chunk of stream) got.push(chunk as Buffer);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
  });

  test.each([
    ["with an announced length", { "content-length": String(size) }],
    ["in chunks", {}],
  ])("fails when a body %s ends early", async (_name, headers) => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    stub.answer("GET", FILE, (_request, response) => {
      response.writeHead(200, headers);
      response.write(bytes.subarray(0, 1_000_000), () => response.destroy());
    });
    const stream = await downloadImage(cloud, "i1", { signal });
    await expect(sizeOf(stream)).rejects.toThrow(/^cannot download image i1: ECONNRESET while talking to /);
  });

  test("that failed before anybody read it fails the reader", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    stub.answer("GET", FILE, (_request, response) => {
      response.writeHead(200, { "content-length": String(size) });
      response.write(bytes.subarray(0, 1000), () => response.destroy());
    });
    const stream = await downloadImage(cloud, "i1", { signal });
    await expect.poll(() => stream.destroyed).toBe(true);
    await expect(sizeOf(stream)).rejects.toThrow("cannot download image i1: ECONNRESET");
  });

  test("tries again while nothing has come yet", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    stub.answer("GET", FILE, reset, html(503, "Busy"), (_request, response) => void response.end(bytes));
    expect(await sizeOf(await downloadImage(cloud, "i1", { signal }))).toBe(size);
  });

  test.each([
    [204, "HTTP 204"],
    [403, "Forbidden for you (HTTP 403 from image)"],
  ])("throws for a %d", async (status, text) => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    stub.answer("GET", FILE, json(status, { message: "Forbidden for you", code: "", title: "" }));
    await expect(downloadImage(cloud, "i1", { signal })).rejects.toThrow(text);
  });

  test("starts anew with another token when its own ended right before the data", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    stub.answer("GET", FILE, json(401, { error: { code: 401, message: "no" } }), (request, response) => {
      request.resume();
      response.writeHead(200, { "content-length": size }).end(bytes);
    });
    expect(await sizeOf(await downloadImage(cloud, "i1", { signal }))).toBe(size);
    expect(stub.signIns).toHaveLength(2);
  });

  test("fails with the signal's reason when it fires in the middle", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    const abort = new AbortController();
    const closed = Promise.withResolvers<void>();
    stub.answer("GET", FILE, (request, response) => {
      request.socket.once("close", () => closed.resolve());
      response.writeHead(200, { "content-length": String(size) });
      response.write(bytes.subarray(0, 100));
    });
    const stream = await downloadImage(cloud, "i1", { signal: abort.signal });
    const reading = sizeOf(stream);
    abort.abort(new Error("stop it"));
    await expect(reading).rejects.toThrow("stop it");
    await expect(closed.promise).resolves.toBeUndefined();
  });

  test("ends the connection when the reader does not want the rest", async () => {
    await using stub = await startStub();
    using cloud = await openWithImage(stub, "active");
    const closed = Promise.withResolvers<void>();
    stub.answer("GET", FILE, (request, response) => {
      request.socket.once("close", () => closed.resolve());
      response.writeHead(200, { "content-length": String(size) });
      response.write(bytes.subarray(0, 100));
    });
    const stream = await downloadImage(cloud, "i1", { signal });
    stream.destroy();
    await expect(closed.promise).resolves.toBeUndefined();
  });

  test("fills an image straight from another", async () => {
    await using from = await startStub();
    await using to = await startStub();
    using source = await openWithImage(from, "active");
    using target = await openWithImage(to, "queued");
    from.answer("GET", FILE, (_request, response) => void response.end(bytes));
    const got = { bytes: 0, announced: undefined };
    to.answer("PUT", FILE, takeAll(got));
    const data = await downloadImage(source, "i1", { signal });
    await uploadImage(target, "i1", data, { sizeBytes: size, signal });
    expect(got).toEqual({ bytes: size, announced: String(size) });
  });
});
