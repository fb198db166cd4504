/** Debian's Prometheus and promtool: what they say of our metrics, rules and queries. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitFor } from "../../src/base/deadline.ts";
import { startHttpServer } from "./http-server.ts";

/** Where `scripts/test.ts` unpacks the package: nothing of it is installed, and no daemon starts. */
const UNPACKED = fileURLToPath(new URL("../../node_modules/.cache/debian/usr/bin", import.meta.url));

function program(name: "prometheus" | "promtool"): string {
  const unpacked = join(UNPACKED, name);
  return existsSync(unpacked) ? unpacked : name;
}

/** Runs promtool with `input`; gives what it says, empty when it has nothing to complain of. */
export async function promtool(words: readonly string[], input = ""): Promise<string> {
  try {
    const work = promisify(execFile)(program("promtool"), [...words], { encoding: "utf8" });
    work.child.stdin?.on("error", () => {});
    work.child.stdin?.end(input);
    const { stderr } = await work;
    return stderr;
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (error.code === "ENOENT") {
      throw new Error("promtool is not installed; these tests need it: apt-get install prometheus", {
        cause: error,
      });
    }
    const { stdout, stderr } = error as unknown as { readonly stdout: string; readonly stderr: string };
    return `${stdout}${stderr}` || error.message;
  }
}

/** What a query gave: a series' labels and value each. */
export type Result = readonly {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}[];

/** A Prometheus that scrapes one target; dispose of it to end it. */
export interface Prometheus extends AsyncDisposable {
  /** The value of `expr` now; rejects with Prometheus's words when it does not parse. */
  readonly query: (expr: string) => Promise<Result>;
}

/** Starts a Prometheus that scrapes `text` every second, with `labels` on each series, and waits until it has. */
export async function startPrometheus(
  text: string,
  labels: Readonly<Record<string, string>>,
): Promise<Prometheus> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await mkdtempDisposable(join(tmpdir(), "prometheus-")));
  const target = cleanup.use(
    await startHttpServer({
      "/metrics": (_request, response) =>
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
    }),
  );
  const port = await freePort();
  // JSON is YAML
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [
      { job_name: "builder", static_configs: [{ targets: [new URL(target.url).host], labels }] },
    ],
  };
  const file = join(folder.path, "prometheus.yml");
  await writeFile(file, JSON.stringify(config));
  const words = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder.path, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=error",
  ];
  const child = spawn(program("prometheus"), words, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  cleanup.defer(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const query = async (expr: string): Promise<Result> => {
    const reply = await fetch(`http://127.0.0.1:${port}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query: expr }),
    });
    const { data, error } = (await reply.json()) as {
      readonly data?: { readonly result: Result };
      readonly error?: string;
    };
    if (data === undefined) throw new Error(`${error}: ${expr}`);
    return data.result;
  };
  await waitFor(AbortSignal.timeout(60_000), 100, async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
    const result = await query("up == 1").catch(() => []);
    return result.length === 0 ? undefined : true;
  });
  const owned = cleanup.move();
  return { query, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
