/** Starts what guests and builds fetch from: the gateway server and, for the real cloud, the apt cache. */
import { join } from "node:path";
import { seconds, waitFor, withDeadline } from "../../src/base/deadline.ts";
import { mirrorFolder } from "../guest-image/image.ts";
import { APT_PORT, GATEWAY_PORT, gatewayOf, IMAGES, LAB_SOURCE, labCloud } from "../layout.ts";
import type { LabKind } from "../layout.ts";
import { isRunning } from "../processes.ts";
import { runScript } from "../script.ts";
import type { ScriptOptions } from "../script.ts";
import { AppError, asError } from "../../src/base/errors.ts";

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
  await service("gateway", `http://${address}:${GATEWAY_PORT}/runner/releases/latest`, [
    process.execPath,
    server,
    address,
    String(GATEWAY_PORT),
    mirrorFolder(IMAGES),
  ]);
  if (kind === "real") {
    const script = join(LAB_SOURCE, "gateway/apt-cache.sh");
    await service("aptcache", `http://${address}:${APT_PORT}/acng-report.html`, [
      "bash",
      script,
      address,
      String(APT_PORT),
      join(directory, "apt-cache"),
    ]);
  }
}

async function poll(
  directory: string,
  name: string,
  url: string,
  signal: AbortSignal,
): Promise<true | undefined> {
  try {
    const response = await fetch(url, { method: "HEAD", redirect: "manual", signal });
    await response.body?.cancel();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (await isRunning(directory, name)) return undefined;
    const log = join(directory, "log", `${name}.out`);
    throw new AppError(`cannot start ${name}: it ended; see ${log}`, { cause: asError(error) });
  }
}
