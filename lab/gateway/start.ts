/** Starts what guests and builds fetch from: the gateway server and, for the real cloud, the apt cache. */
import { join } from "node:path";
import { seconds, waitFor, withDeadline } from "../../src/base/deadline.ts";
import { PID_HEADER } from "./handler.ts";
import { mirrorFolder } from "../guest-image/image.ts";
import {
  APT_CACHE,
  APT_PORT,
  GATEWAY_PORT,
  gatewayOf,
  IMAGES,
  LAB_SOURCE,
  labCloud,
  PROXY_PORT,
} from "../layout.ts";
import type { LabKind } from "../layout.ts";
import { runningPid } from "../processes.ts";
import { runScript } from "../script.ts";
import type { ScriptOptions } from "../script.ts";
import { AppError } from "../../src/base/errors.ts";

const READY_LIMIT_MS = seconds(30);

/** Starts the processes that don't run yet and settles when each answers; throws when one dies meanwhile. */
export async function startGateway(kind: LabKind, options: ScriptOptions): Promise<void> {
  const address = gatewayOf(kind);
  const { directory } = labCloud(kind);
  const service = async (name: string, url: string, command: readonly string[]): Promise<void> => {
    await runScript([join(LAB_SOURCE, "openstack/service.sh"), name, ...command], options);
    await withDeadline(options.signal, READY_LIMIT_MS, `${name} at ${url}`, async (signal) => {
      await waitFor(signal, 50, () => poll(directory, name, url, signal));
    });
  };
  const server = join(LAB_SOURCE, "gateway/server.ts");
  await service("gateway", `http://${address}:${GATEWAY_PORT}/`, [
    process.execPath,
    server,
    address,
    String(GATEWAY_PORT),
    mirrorFolder(IMAGES),
    ...(kind === "real" ? [String(PROXY_PORT), String(APT_PORT)] : []),
  ]);
  if (kind === "real") {
    const script = join(LAB_SOURCE, "gateway/apt-cache.sh");
    await service("aptcache", `http://${address}:${APT_PORT}/acng-report.html`, [
      "bash",
      script,
      address,
      String(APT_PORT),
      APT_CACHE,
    ]);
  }
}

/** `undefined`: not ready yet. The answer counts only from a living process of ours: another may hold the port. */
async function poll(
  directory: string,
  name: string,
  url: string,
  signal: AbortSignal,
): Promise<true | undefined> {
  const pid = await runningPid(directory, name);
  if (pid === undefined) {
    throw new AppError(`cannot start ${name}: it ended; see ${join(directory, "log", `${name}.out`)}`);
  }
  try {
    const response = await fetch(url, { signal });
    await response.body?.cancel();
    const answering = response.headers.get(PID_HEADER);
    return answering === null || answering === String(pid) ? true : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TypeError) return undefined; // no connection yet
    throw error;
  }
}
