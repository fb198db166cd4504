import { mkdtempDisposable, readdir, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describe as textOf } from "../../../src/base/errors.ts";
import { redact } from "../../../src/base/redact.ts";
import { hidden, isHidden, isSecret, proxyPasswords } from "../../../src/build/proxies.ts";
import { dropProxies, handOver, takeProxies } from "../../../src/build/proxy-file.ts";
import type { Proxy } from "../../../src/build/types.ts";

const proxyWith = (http: string): Proxy => ({ http, https: "http://s.example:1", noProxy: "10.0.0.0/8" });

describe("what may be written down of a proxy", () => {
  test.each([
    ["http://u:p%40ss@h:1", "http://***@h:1", ["p%40ss", "p@ss", "u:p@ss"]],
    ["http://u:50%@h", "http://***@h", ["50%", "50%", "u:50%"]],
    ["u:a@b@h:1", "***@h:1", ["a@b", "a@b", "u:a@b"]],
    ["http://token@h:1", "http://***@h:1", ["token", "token", "token"]],
    ["http://u:a/b@h:1", "http://***@h:1", ["a/b", "a/b", "u:a/b"]],
  ])("of %s is %s", (http, form, passwords) => {
    const proxy = proxyWith(http);
    expect(proxyPasswords(proxy)).toEqual(passwords);
    expect(hidden(proxy)).toEqual(proxyWith(form));
    expect([isSecret(proxy), isHidden(proxy), isHidden(hidden(proxy))]).toEqual([true, false, true]);
  });

  test.each(["http://h:1", "h:1", ""])("of %s is all", (http) => {
    const proxy = proxyWith(http);
    expect(proxyPasswords(proxy)).toEqual([]);
    expect(hidden(proxy)).toEqual(proxy);
    expect([isSecret(proxy), isHidden(proxy)]).toEqual([false, false]);
  });
});

describe("handing over", () => {
  test("gives the proxies once, and redacts them from then on, as they are sent too", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "proxies-"));
    const proxy = proxyWith("http://me:a%20hidden-word@h:1");
    const path = await handOver(proxy, join(folder.path, "run"));
    expect(await takeProxies(path)).toEqual(proxy);
    expect(await readdir(join(folder.path, "run"))).toEqual([]);
    const sent = Buffer.from("me:a hidden-word").toString("base64");
    expect(redact(`http://me:a%20hidden-word@h:1 a hidden-word Basic ${sent}`)).toBe(
      "http://me:[redacted]@h:1 [redacted] Basic [redacted]",
    );
    await expect(takeProxies(path)).rejects.toThrow(`cannot read the proxies in ${path}`);
  });

  test("drops what a process that was killed never took, and nothing else", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "proxies-"));
    const old = await handOver(proxyWith("http://u:p@h"), folder.path);
    const young = await handOver(proxyWith("http://u:p@h"), folder.path);
    const other = join(folder.path, "20261123t195102-3f9a.json");
    await writeFile(other, "{}");
    const hourAgo = Date.now() / 1000 - 3600;
    for (const path of [old, other]) await utimes(path, hourAgo, hourAgo);
    await dropProxies(folder.path);
    await dropProxies(join(folder.path, "nowhere"));
    const left = (await readdir(folder.path)).map((name) => join(folder.path, name));
    expect(left.toSorted()).toEqual([young, other].toSorted());
  });

  test.each(["hunter-word", '{"http":"hunter-word"', '{"http":["hunter-word"]}'])(
    "refuses %s without quoting it, and removes the file",
    async (text) => {
      await using folder = await mkdtempDisposable(join(tmpdir(), "proxies-"));
      const path = join(folder.path, "proxies-1.json");
      await writeFile(path, text);
      const error: unknown = await takeProxies(path).catch((reason: unknown) => reason);
      expect(textOf(error)).toBe(`${path} does not hold the addresses of proxies`);
      expect(String((error as Error).stack)).not.toContain("hunter");
      expect(await readdir(folder.path)).toEqual([]);
    },
  );
});
