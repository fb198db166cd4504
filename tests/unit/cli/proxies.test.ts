import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { readOptional } from "../../../src/base/files.ts";
import { hidden } from "../../../src/build/proxies.ts";
import { handOver } from "../../../src/build/proxy-file.ts";
import type { BuildRequest, Proxy } from "../../../src/build/types.ts";
import { formatCloudsYaml } from "../../../src/openstack/index.ts";
import { requestWith, writeBuild } from "../../support/builds.ts";
import { startStub } from "../../support/openstack-stub.ts";

// each test starts a program, which takes its time on a busy machine
vi.setConfig({ testTimeout: 60_000 });

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const PASSWORD = "a-pa55word/of the-proxy";
const SENT = `Basic ${Buffer.from(`site:${PASSWORD}`).toString("base64")}`;

interface SiteProxy extends AsyncDisposable {
  readonly proxy: Proxy;
  /** What was asked for, and with which credentials. */
  readonly seen: readonly (readonly [string, string | undefined])[];
}

/** A proxy that wants a password and brings everything to `target`; `onAsked` is told of each request. */
async function siteProxy(target: string, onAsked: () => void): Promise<SiteProxy> {
  const seen: (readonly [string, string | undefined])[] = [];
  const note = ({ method, url, headers }: IncomingMessage): void => {
    seen.push([`${method} ${url}`, headers["proxy-authorization"]]);
    onAsked();
  };
  const server = createServer((request, response) => {
    note(request);
    response.writeHead(503).end();
  });
  const { port: targetPort, hostname } = new URL(target);
  server.on("connect", (request, client) => {
    note(request);
    const upstream = connect(Number(targetPort), hostname, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [upstream, client]) socket.on("error", () => upstream.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `site:${encodeURIComponent(PASSWORD)}@127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    proxy: { http: `http://${address}`, https: `http://${address}`, noProxy: "direct.example" },
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The file of a request for clouds that only a proxy reaches. */
async function prepared(root: string, changes: Partial<BuildRequest>): Promise<string> {
  const cloudsFile = join(root, "clouds.yaml");
  const auth = {
    authUrl: "http://cloud.invalid:5000/v3",
    projectName: "p",
    projectDomainName: "Default",
    username: "u",
    userDomainName: "Default",
    password: "cli-proxies-secret",
    region: null,
    caFile: null,
  };
  await writeFile(cloudsFile, formatCloudsYaml(new Map([["builder", auth]])));
  return join(
    await writeBuild(join(root, "builds"), requestWith({ cloudsFile, ...changes })),
    "request.json",
  );
}

describe("proxies that are handed over", () => {
  test("carry OpenStack and all else, and show in no environment, child, log or file", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "cli-proxies-"));
    // what stands behind the proxy for the webhook
    await using web = await startStub();
    const environs: Promise<string>[] = [];
    const running = { pid: 0 };
    await using site = await siteProxy(web.url, () => {
      environs.push(readFile(`/proc/${running.pid}/environ`, "utf8"));
    });
    const childEnv = join(folder.path, "child.env");
    const secretsFile = join(folder.path, "secrets.json");
    await writeFile(secretsFile, JSON.stringify({ script: {}, notifyUrl: "http://hook.invalid/notify" }));
    const { recipe } = requestWith();
    const request = await prepared(folder.path, {
      recipe: { ...recipe, proxy: hidden(site.proxy) },
      wake: ["/bin/sh", "-c", `env > ${childEnv}`],
      secretsFile,
    });
    const runtime = join(folder.path, "run");
    const child = spawn(process.execPath, [MAIN, "run", "--request", request, "--log-format", "json"], {
      env: { PATH: "/usr/bin:/bin", IMAGE_BUILDER_PROXIES: await handOver(site.proxy, runtime) },
    });
    running.pid = child.pid ?? 0;
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += String(chunk)));
    expect(await once(child, "close")).toEqual([1, null]);

    const asked = new Map(site.seen);
    expect([...asked.keys()]).toEqual([
      "POST http://cloud.invalid:5000/v3/auth/tokens",
      "CONNECT hook.invalid:80",
    ]);
    expect(new Set(asked.values())).toEqual(new Set([SENT]));
    expect(await readdir(runtime)).toEqual([]);
    const shown = [output, ...(await Promise.all(environs))];
    for (const name of ["request.json", "journal.jsonl"])
      shown.push((await readOptional(join(request, "..", name))) ?? "");
    const childs = await readFile(childEnv, "utf8");
    expect(childs).not.toMatch(/PROX/i);
    expect(childs).toContain("PATH=/usr/bin:/bin");
    const forms = [PASSWORD, encodeURIComponent(PASSWORD), SENT.slice(6)];
    for (const text of [...shown, childs]) for (const form of forms) expect(text).not.toContain(form);
    expect(environs.length).toBeGreaterThan(1);
  });

  test("are missed in one sentence where a person starts a build from the charm's request", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "cli-proxies-"));
    const { recipe } = requestWith();
    const proxy = { http: "http://***@proxy.example:3128", https: "", noProxy: "" };
    const request = await prepared(folder.path, { recipe: { ...recipe, proxy } });
    const child = spawn(process.execPath, [MAIN, "run", "--request", request], {
      env: { PATH: "/usr/bin:/bin" },
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += String(chunk)));
    expect(await once(child, "close")).toEqual([2, null]);
    expect(stderr).toBe(
      `error: build request ${request}: recipe.proxy: *** stands for a name and password that the charm hands over; ` +
        "write the proxy's whole address, or start the build with the action run\n",
    );
  });
});
