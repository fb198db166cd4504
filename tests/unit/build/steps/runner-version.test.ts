import { describe, expect, test } from "vitest";
import { newestRunner, resolveRunnerVersion } from "../../../../src/build/steps/runner-version.ts";
import { deadUrl, startHttpServer } from "../../../support/http-server.ts";

const never = new AbortController().signal;

describe("resolveRunnerVersion", () => {
  test("takes a given version without asking the mirror", async () => {
    await using mirror = await startHttpServer({});
    expect(await resolveRunnerVersion("2.330.0", mirror.url, never)).toBe("2.330.0");
    expect(mirror.paths).toEqual([]);
  });

  test.each(["https://github.example/o/r/releases/tag/v2.331.1", "../tag/v2.331.1"])(
    "takes for latest the version that the mirror redirects to: %s",
    async (location) => {
      await using mirror = await startHttpServer({
        "/releases/latest": (_request, response) => response.writeHead(302, { location }).end(),
      });
      expect(await resolveRunnerVersion("latest", `${mirror.url}/releases/`, never)).toBe("2.331.1");
      expect(mirror.paths).toEqual(["/releases/latest"]);
    },
  );

  test.each(["v2.331.1\n", "2.331.1"])(
    "takes the version that a file of that name holds: %s",
    async (text) => {
      await using mirror = await startHttpServer({ "/latest": text });
      expect(await resolveRunnerVersion("latest", mirror.url, never)).toBe("2.331.1");
    },
  );

  test("reads no more of a page than a version has", async () => {
    await using mirror = await startHttpServer({ "/latest": `2.331.1${" ".repeat(100_000)}` });
    await expect(resolveRunnerVersion("latest", mirror.url, never)).rejects.toThrow(
      "does not lead to a release",
    );
  });

  test.each([
    ["a page", 200, {}],
    ["nothing", 404, {}],
    ["a sign-in page", 302, { location: "/login" }],
    ["a version that is none", 302, { location: "/tag/v2.330.0-rc1;id" }],
  ])("says that the mirror answers with %s", async (_what, status, headers) => {
    await using mirror = await startHttpServer({
      "/latest": (_request, response) => response.writeHead(status, headers).end("text"),
    });
    await expect(resolveRunnerVersion("latest", mirror.url, never)).rejects.toThrow(
      `runner-mirror: ${mirror.url}/latest does not lead to a release (HTTP ${status})`,
    );
  });

  test("says that the mirror cannot be reached", async () => {
    const url = await deadUrl();
    await expect(resolveRunnerVersion("latest", url, never)).rejects.toThrow(
      `runner-mirror: cannot reach ${url}/latest`,
    );
  });

  test("ends with the reason of a cancel when the mirror does not answer", async () => {
    const cancel = new AbortController();
    const reason = new Error("enough");
    await using mirror = await startHttpServer({ "/latest": () => cancel.abort(reason) });
    await expect(resolveRunnerVersion("latest", mirror.url, cancel.signal)).rejects.toBe(reason);
  });
});

describe("newestRunner", () => {
  test("gives what the mirror redirects to, and nothing when it does not", async () => {
    await using mirror = await startHttpServer({
      "/latest": (_request, response) => response.writeHead(302, { location: "../tag/v2.331.1" }).end(),
    });
    expect(await newestRunner(mirror.url, never)).toBe("2.331.1");
    expect(await newestRunner(`${mirror.url}/pinned-only`, never)).toBe(null);
    expect(await newestRunner(await deadUrl(), never)).toBe(null);
  });

  test("ends when the build is cancelled", async () => {
    const signal = AbortSignal.abort(new Error("cancelled"));
    await expect(newestRunner(await deadUrl(), signal)).rejects.toThrow("cancelled");
  });
});
