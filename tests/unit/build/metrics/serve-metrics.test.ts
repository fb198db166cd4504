import { execFile } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { shellcheck } from "../../../support/shell.ts";

const SCRIPT = fileURLToPath(new URL("../../../../src/build/metrics/serve-metrics.sh", import.meta.url));
const TEXT = 'a{b="ä % \\\\"} 1\n';

/** What the script answers to `request`, with a file of `text` (null: there is none). */
async function answerTo(request: string, text: string | null = TEXT): Promise<string> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "serve-"));
  const file = join(folder.path, "unit.prom");
  if (text !== null) await writeFile(file, text);
  const work = promisify(execFile)("/bin/sh", [SCRIPT, file], {
    env: { PATH: "/usr/bin:/bin" },
    timeout: 5000,
  });
  work.child.stdin?.end(request);
  return (await work).stdout;
}

const headers = (status: string, type: string, length: number): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
const OK = headers("200 OK", "text/plain; version=0.0.4; charset=utf-8", Buffer.byteLength(TEXT));

describe("the script that serves metrics", () => {
  test.each([
    ["as Prometheus asks", "GET /metrics HTTP/1.1\r\nHost: localhost:29100\r\nAccept: */*\r\n\r\n"],
    ["with a query", "GET /metrics?x=1 HTTP/1.1\r\n\r\n"],
    ["with bare newlines", "GET /metrics HTTP/1.0\n\n"],
    ["without a version", "GET /metrics\r\n\r\n"],
  ])("answers with the file, byte for byte, when it is asked %s", async (_how, request) => {
    expect(await answerTo(request)).toBe(`${OK}${TEXT}`);
  });

  test("gives a HEAD the headers alone", async () => {
    expect(await answerTo("HEAD /metrics HTTP/1.1\r\n\r\n")).toBe(OK);
  });

  test.each([
    ["GET /../../etc/passwd HTTP/1.1\r\n\r\n", "404 Not Found"],
    ["GET $(id) HTTP/1.1\r\n\r\n", "404 Not Found"],
    ["POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405 Method Not Allowed"],
    ["`id` /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"],
    ["GET  HTTP/1.1\r\n\r\n", "404 Not Found"],
  ])("refuses %j", async (request, status) => {
    const answer = await answerTo(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
    expect(answer).not.toContain(TEXT);
  });

  test("says so while there are no metrics", async () => {
    expect(await answerTo("GET /metrics HTTP/1.1\r\n\r\n", null)).toMatch(
      /^HTTP\/1\.1 503 [^]*\nthere are no metrics yet\n$/,
    );
  });

  test.each([
    ["nothing", ""],
    ["headers without an end", `GET /metrics HTTP/1.1\r\n${"a: b\r\n".repeat(200)}`],
  ])("ends on %s without an answer", async (_what, request) => {
    expect(await answerTo(request)).toBe("");
  });

  test("gives ShellCheck nothing to warn of", async () => {
    expect(await shellcheck([SCRIPT])).toBe("");
  });
});
