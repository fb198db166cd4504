/** Serving metrics over HTTP on the loopback address, by systemd and a few lines of shell: no process waits for a scrape. */
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, dirname } from "node:path";
import { readAsset } from "../../base/assets.ts";
import { readOptional, writeIfChanged } from "../../base/files.ts";
import type { Paths } from "../paths.ts";
import { hasSystemd, systemctl } from "../service/service.ts";
import { metricsServiceUnit, metricsSocketUnit } from "./socket-units.ts";

const SERVE = new URL("serve-metrics.sh", import.meta.url);

/** Ports that are tried, from the wanted one on. */
export const PORTS = 10;
/** The number behind the highest port. */
export const PORT_LIMIT = 65_536;

/**
 * The port to serve on: the one that this unit's socket has already, if it is among the {@link PORTS} from `first` on, else
 * the first of them that is free, and `taken` when none is. Null where systemd does not run.
 */
export async function choosePort(
  paths: Paths,
  first: number,
  path: string,
): Promise<number | "taken" | null> {
  if (!(await hasSystemd(paths))) return null;
  const ours = await servedPort(paths);
  if (ours !== null && ours >= first && ours < first + PORTS && (await isActive(paths, path))) return ours;
  for (let port = first; port < Math.min(first + PORTS, PORT_LIMIT); port += 1) {
    if (await isFree(port)) return port;
  }
  return "taken";
}

/** Has systemd listen on `port` for the metrics of `unit`; does nothing when it does already. */
export async function listen(paths: Paths, unit: string, port: number, path: string): Promise<void> {
  const { metricsSocket, metricsService, serveScript } = paths;
  await mkdir(dirname(metricsSocket), { recursive: true, mode: 0o755 });
  await writeIfChanged(serveScript, await readAsset(SERVE), 0o644);
  const written = [
    await writeIfChanged(metricsService, metricsServiceUnit(unit, paths), 0o644),
    await writeIfChanged(metricsSocket, metricsSocketUnit(unit, port), 0o644),
  ];
  const socket = basename(metricsSocket);
  if (written.includes(true)) {
    await systemctl(["daemon-reload"], path);
    // a running socket keeps its port
    await systemctl(["stop", socket], path);
  }
  if (written.includes(true) || !(await isActive(paths, path)))
    await systemctl(["enable", "--now", socket], path);
}

/** Takes back what {@link listen} made; does nothing when there is nothing. */
export async function stopListening(paths: Paths, path: string): Promise<void> {
  const { metricsSocket, metricsService } = paths;
  const hasSocket = (await readOptional(metricsSocket)) !== undefined;
  if (!hasSocket && (await readOptional(metricsService)) === undefined) return;
  const isBooted = await hasSystemd(paths);
  if (isBooted && hasSocket) await systemctl(["disable", "--now", basename(metricsSocket)], path);
  await rm(metricsSocket, { force: true });
  await rm(metricsService, { force: true });
  if (isBooted) await systemctl(["daemon-reload"], path);
}

/** The port in this unit's socket; null where there is none. */
async function servedPort({ metricsSocket }: Paths): Promise<number | null> {
  const [, port] = /^ListenStream=127\.0\.0\.1:(\d+)$/m.exec((await readOptional(metricsSocket)) ?? "") ?? [];
  return port === undefined ? null : Number(port);
}

async function isActive({ metricsSocket }: Paths, path: string): Promise<boolean> {
  const words = ["show", "--property", "ActiveState", "--value", basename(metricsSocket)];
  return (await systemctl(words, path)) === "active";
}

/** Whether nobody listens on `port` of the loopback address, as a try to listen there says. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
