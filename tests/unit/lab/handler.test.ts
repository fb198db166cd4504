import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gatewayHandler, parseRange } from "../../../lab/gateway/handler.ts";
import { RUNNER_VERSION } from "../../../lab/gateway/runner.ts";

let folder: string;
let server: Server;
let port: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gateway-"));
  await mkdir(join(folder, "mirror/noble/20250101"), { recursive: true });
  await symlink("20250101", join(folder, "mirror/noble/current"));
  await writeFile(join(folder, "mirror/noble/20250101/disk.img"), "0123456789");
  await writeFile(join(folder, "secret"), "not served");
  const handle = gatewayHandler(join(folder, "mirror"));
  server = createServer((incoming, response) => void handle(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const get = async (path: string, init: RequestInit = {}): Promise<Response> =>
  await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init });

describe("base images", () => {
  test("serves a file through the link `current` with length and date", async () => {
    const response = await get("/cloud-images/noble/current/disk.img");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("10");
    expect(Date.parse(response.headers.get("last-modified") ?? "")).toBeGreaterThan(0);
    expect(await response.text()).toBe("0123456789");
  });

  test("answers HEAD without a body", async () => {
    const response = await get("/cloud-images/noble/current/disk.img", { method: "HEAD" });
    expect(response.headers.get("content-length")).toBe("10");
    expect(await response.text()).toBe("");
  });

  test("serves the range asked for", async () => {
    const response = await get("/cloud-images/noble/current/disk.img", { headers: { range: "bytes=4-" } });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe("bytes 4-9/10");
    expect(await response.text()).toBe("456789");
  });

  test("does not leave its folder", async () => {
    // fetch would normalise the path
    const status = await new Promise((resolve, reject) => {
      request({ port, host: "127.0.0.1", path: "/cloud-images/../secret" }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(404);
    expect((await get("/cloud-images/%2e%2e%2fsecret")).status).toBe(404);
  });

  test.each(["/cloud-images/noble", "/cloud-images/noble/current/none.img", "/cloud-images/", "/"])(
    "says 404 for %s",
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  test("refuses to be written to", async () => {
    expect((await get("/cloud-images/noble/current/disk.img", { method: "PUT" })).status).toBe(405);
  });
});

describe("runner releases", () => {
  test("leads from the latest release to its page", async () => {
    const response = await get("/runner/releases/latest");
    expect(response.status).toBe(302);
    const page = response.headers.get("location") ?? "";
    expect(page).toBe(`/runner/releases/tag/v${RUNNER_VERSION}`);
    expect((await get(page)).status).toBe(200);
  });

  test.each(["x64", "arm64"])("serves the %s archive with a checksum that fits", async (architecture) => {
    const name = `actions-runner-linux-${architecture}-${RUNNER_VERSION}.tar.gz`;
    const path = `/runner/releases/download/v${RUNNER_VERSION}/${name}`;
    const data = Buffer.from(await (await get(path)).arrayBuffer());
    const digest = createHash("sha256").update(data).digest("hex");
    expect(await (await get(`${path}.sha256`)).text()).toBe(`${digest}  ${name}\n`);
  });
});

describe("parseRange", () => {
  test.each([
    [undefined, undefined],
    ["bytes=0-3", { start: 0, end: 3 }],
    ["bytes=0-99", { start: 0, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-99", { start: 0, end: 9 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-2", undefined],
    ["bytes=0-1,3-4", undefined],
    ["lines=0-1", undefined],
  ])("reads %s", (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });
});
