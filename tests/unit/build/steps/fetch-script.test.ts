import { createHash } from "node:crypto";
import { access, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describe as textOf } from "../../../../src/base/errors.ts";
import { redact } from "../../../../src/base/redact.ts";
import { fetchScript, takeSecrets } from "../../../../src/build/steps/fetch-script.ts";
import { deadUrl, startHttpServer } from "../../../support/http-server.ts";

const never = new AbortController().signal;

describe("fetchScript", () => {
  test("gives the text, byte for byte", async () => {
    const script = "#!/bin/bash\necho größe\r\n";
    await using server = await startHttpServer({ "/s.sh": script });
    expect(await fetchScript({ url: `${server.url}/s.sh`, sha256: "" }, never)).toBe(script);
  });

  test("follows redirects", async () => {
    await using server = await startHttpServer({
      "/old": (_request, response) => response.writeHead(301, { location: "/new" }).end(),
      "/new": "echo",
    });
    expect(await fetchScript({ url: `${server.url}/old`, sha256: "" }, never)).toBe("echo");
  });

  test("takes no script but the one with the operator's checksum", async () => {
    await using server = await startHttpServer({ "/s.sh": "echo" });
    const url = `${server.url}/s.sh`;
    const sha256 = createHash("sha256").update("echo").digest("hex");
    expect(await fetchScript({ url, sha256 }, never)).toBe("echo");
    const wanted = "0".repeat(64);
    await expect(fetchScript({ url, sha256: wanted }, never)).rejects.toThrow(
      `script-sha256: the script at ${url} has the SHA-256 ${sha256}, not ${wanted}`,
    );
  });

  test.each([404, 500])("takes no error page for the script: HTTP %i", async (status) => {
    await using server = await startHttpServer({
      "/s.sh": (_request, response) => response.writeHead(status).end("<html>"),
    });
    await expect(fetchScript({ url: `${server.url}/s.sh`, sha256: "" }, never)).rejects.toThrow(
      `script-url: ${server.url}/s.sh answers HTTP ${status}`,
    );
  });

  test("takes a script of 1 MiB and stops reading what is larger", async () => {
    let sent = 0;
    await using server = await startHttpServer({
      "/good": Buffer.alloc(1 << 20, "#"),
      "/endless": (_request, response) => {
        const write = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(1 << 16, "#"))) sent += 1 << 16;
        };
        response.on("drain", write);
        write();
      },
    });
    expect(await fetchScript({ url: `${server.url}/good`, sha256: "" }, never)).toHaveLength(1 << 20);
    await expect(fetchScript({ url: `${server.url}/endless`, sha256: "" }, never)).rejects.toThrow(
      `script-url: ${server.url}/endless is larger than 1048576 bytes`,
    );
    expect(sent).toBeLessThan(64 << 20);
  });

  test("says that the address cannot be reached", async () => {
    const url = await deadUrl();
    await expect(fetchScript({ url: `${url}/s.sh`, sha256: "" }, never)).rejects.toThrow(
      `script-url: cannot reach ${url}/s.sh`,
    );
  });
});

describe("takeSecrets", () => {
  async function take(text: string): Promise<{ result: Promise<unknown>; isGone: () => Promise<boolean> }> {
    const folder = await mkdtempDisposable(join(tmpdir(), "secrets-"));
    const path = join(folder.path, "secrets.json");
    await writeFile(path, text);
    const result = takeSecrets(path);
    await result.catch(() => {});
    const isGone = async (): Promise<boolean> => {
      const missing = await access(path).then(
        () => false,
        () => true,
      );
      await folder.remove();
      return missing;
    };
    return { result, isGone };
  }

  test("gives the variables, removes the file and redacts the values from then on", async () => {
    const { result, isGone } = await take(
      '{"script":{"TOKEN":"tok-fetch-script-1","_A1":"two\\nlines-of-it"},"notifyUrl":"https://hook.example/tok-n"}',
    );
    expect(await result).toEqual({
      script: { TOKEN: "tok-fetch-script-1", _A1: "two\nlines-of-it" },
      notifyUrl: "https://hook.example/tok-n",
    });
    expect(await isGone()).toBe(true);
    expect(redact("it said tok-fetch-script-1 and lines-of-it to https://hook.example/tok-n")).toBe(
      "it said [redacted] and [redacted] to [redacted]",
    );
  });

  test.each([
    ["a name that no variable has", '{"script":{"A B":"hunter-secret"},"notifyUrl":null}'],
    ["a value that is no text", '{"script":{"A":["hunter-secret"]},"notifyUrl":null}'],
    ["a text that is no JSON", "hunter-secret"],
    ["JSON that is cut off", '{"A":"hunter-secret'],
  ])("refuses %s without quoting it, and removes the file", async (_what, text) => {
    const { result, isGone } = await take(text);
    const error = await result.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Error);
    expect(textOf(error)).toBe("the script's secrets are not names of variables with text values");
    expect(String((error as Error).stack)).not.toContain("hunter");
    expect(await isGone()).toBe(true);
  });
});
