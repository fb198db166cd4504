import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { describe, expect, test } from "vitest";
import { ask, bodyOf, get, HttpError } from "../../../src/base/http.ts";
import { makeCertificate } from "../../support/certificate.ts";
import { deadUrl, startHttpServer } from "../../support/http-server.ts";

const never = new AbortController().signal;
const at = (url: string) => ({ option: "script-url", url });

async function textAt(url: string): Promise<string> {
  await using reply = await get(at(url), never);
  return String(await bodyOf(reply, at(url), 1000));
}

function redirect(location: string, status = 302): Parameters<typeof startHttpServer>[0][string] {
  return (_request, response) => response.writeHead(status, { location }).end("elsewhere");
}

describe("a redirect", () => {
  test.each([301, 302, 303, 307, 308])("with HTTP %i is followed, to another host too", async (status) => {
    await using there = await startHttpServer({ "/file": "text" });
    await using here = await startHttpServer({ "/file": redirect(`${there.url}/file`, status) });
    expect(await textAt(`${here.url}/file`)).toBe("text");
  });

  test("takes nothing along but the range", async () => {
    const seen: Record<string, unknown>[] = [];
    await using there = await startHttpServer({
      "/file": (request, response) => {
        seen.push(request.headers);
        response.end("text");
      },
    });
    await using here = await startHttpServer({
      "/file": (_request, response) =>
        response.writeHead(302, { location: `${there.url}/file`, "set-cookie": "a=b" }).end(),
    });
    await using reply = await get(at(`${here.url}/file`), never, 7);
    expect(reply.status).toBe(200);
    expect(seen).toHaveLength(1);
    const usual = ["host", "connection", "accept", "accept-language", "sec-fetch-mode", "user-agent"];
    expect(
      Object.keys(seen[0] ?? {})
        .filter((name) => !usual.includes(name))
        .toSorted(),
    ).toEqual(["accept-encoding", "range"]);
    expect(seen[0]).toMatchObject({ range: "bytes=7-", "accept-encoding": "identity" });
  });

  test("is followed five times, not six", async () => {
    await using server = await startHttpServer({
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`/${n}`, redirect(`/${n - 1}`)])),
      "/0": "text",
    });
    expect(await textAt(`${server.url}/5`)).toBe("text");
    await expect(textAt(`${server.url}/6`)).rejects.toThrow(
      `script-url: ${server.url}/6 redirects more than 5 times`,
    );
    expect(server.paths.slice(6)).toEqual(["/6", "/5", "/4", "/3", "/2", "/1"]);
  });

  test("never leads from https to http, but from http to https and on there", async () => {
    await using certificate = await makeCertificate();
    const before = getCACertificates("default");
    setDefaultCACertificates([certificate.tls.cert]);
    using _certificates = { [Symbol.dispose]: () => setDefaultCACertificates(before) };
    await using plain = await startHttpServer({
      "/file": "text",
      "/up": (_request, response) => response.writeHead(302, { location: `${safe.url}/on` }).end(),
    });
    await using safe = await startHttpServer(
      { "/file": "safe text", "/on": redirect("/file"), "/down": redirect(`${plain.url}/file`) },
      certificate.tls,
    );
    expect(await textAt(`${plain.url}/up`)).toBe("safe text");
    await expect(textAt(`${safe.url}/down`)).rejects.toThrow(
      `script-url: ${safe.url}/down redirects from https: to http:, which is not followed`,
    );
    expect(plain.paths).toEqual(["/up"]);
  });

  test.each([
    ["file:///etc/passwd", "redirects from http: to file:, which is not followed"],
    ["data:,hello", "redirects from http: to data:, which is not followed"],
    ["http://", "redirects to something that is no address"],
    [
      "http://user:hunter@127.0.0.1/",
      "redirects to an address with a name or password, which is not followed",
    ],
  ])("is refused to %s", async (location, sentence) => {
    await using server = await startHttpServer({ "/file": redirect(location) });
    await expect(textAt(`${server.url}/file`)).rejects.toThrow(`script-url: ${server.url}/file ${sentence}`);
  });

  test("is the caller's where only the question was asked", async () => {
    await using server = await startHttpServer({ "/hook": redirect("/other"), "/other": "text" });
    await using reply = await ask(at(`${server.url}/hook`), { method: "POST", body: "x" }, never);
    expect([reply.status, reply.isOk, reply.header("location")]).toEqual([302, false, "/other"]);
    expect(server.paths).toEqual(["/hook"]);
  });
});

describe("a server that nobody can rely on", () => {
  test("is not trusted with a certificate that nobody vouches for", async () => {
    await using certificate = await makeCertificate();
    await using server = await startHttpServer({ "/file": "text" }, certificate.tls);
    await expect(textAt(`${server.url}/file`)).rejects.toThrow(`script-url: cannot reach ${server.url}/file`);
    expect(server.paths).toEqual([]);
  });

  test("is worth another try when it cannot be reached or breaks off, and named", async () => {
    await expect(textAt(await deadUrl())).rejects.toMatchObject({ isTransient: true });
    await using server = await startHttpServer({
      "/half": (_request, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("half", () => response.destroy());
      },
    });
    const failure = await textAt(`${server.url}/half`).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HttpError);
    expect(failure).toMatchObject({
      isTransient: true,
      message: `script-url: the download of ${server.url}/half broke off`,
    });
  });

  test("is given up when it is silent, before its reply and in the middle of it", async () => {
    await using server = await startHttpServer({
      "/mute": () => {},
      "/slow": (_request, response) => void response.write("half"),
    });
    const silent = (path: string): string => `script-url: ${server.url}${path} is silent for 1 s`;
    const question = { silenceMs: 1000 };
    await expect(ask(at(`${server.url}/mute`), question, never)).rejects.toThrow(silent("/mute"));
    await using reply = await ask(at(`${server.url}/slow`), question, never);
    await expect(bodyOf(reply, at(`${server.url}/slow`), 1000)).rejects.toThrow(silent("/slow"));
  });

  test("ends with the caller's reason in the middle of a body", async () => {
    await using server = await startHttpServer({
      "/slow": (_request, response) => void response.write("half"),
    });
    const cancel = new AbortController();
    const reason = new Error("enough");
    await using reply = await get(at(`${server.url}/slow`), cancel.signal);
    const body = reply.chunks();
    expect(Buffer.from((await body.next()).value ?? []).toString()).toBe("half");
    const more = body.next();
    cancel.abort(reason);
    await expect(more).rejects.toBe(reason);
  });

  test("is read no further than the limit", async () => {
    await using server = await startHttpServer({ "/file": "0123456789" });
    const body = async (limit: number): Promise<string> => {
      await using reply = await get(at(`${server.url}/file`), never);
      return String(await bodyOf(reply, at(`${server.url}/file`), limit));
    };
    expect(await body(10)).toBe("0123456789");
    await expect(body(9)).rejects.toThrow(`script-url: ${server.url}/file is larger than 9 bytes`);
  });
});

test("no other file of the product speaks HTTP, OpenStack's door apart", async () => {
  const files = (await readdir("src", { recursive: true })).filter((name) => /\.m?[jt]s$/.test(name));
  const speakers: string[] = [];
  for (const name of files) {
    const text = await readFile(join("src", name), "utf8");
    const imports = /^import (?!type).*"(?:node:)?(?:https?|http2|undici|request)"|import\("request"\)/m.test(
      text,
    );
    if (imports || /\bfetch\(|\bXMLHttpRequest\b|\bWebSocket\b|\bEventSource\b/.test(text))
      speakers.push(name);
  }
  expect(files.length).toBeGreaterThan(100);
  expect(speakers.toSorted()).toEqual(["base/http.ts", "openstack/session.ts"]);
});
