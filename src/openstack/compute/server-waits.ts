/** Waiting for what Nova does with a server. The caller's signal bounds every wait. */
import { waitFor } from "../../base/deadline.ts";
import { isNotFound, ServerFailedError } from "../errors.ts";
import type { CallOptions, Cloud } from "../types.ts";
import { getServer, type Server } from "./servers.ts";

/** How to wait; `everyMs` is the pause between looks, two seconds by default. */
export interface WaitOptions extends CallOptions {
  readonly everyMs?: number;
}

const EVERY_MS = 2000;
const GONE: ReadonlySet<string> = new Set(["DELETED", "SOFT_DELETED"]);

/**
 * Waits until the server has `status` and gives it then. Throws {@link ServerFailedError} at once when it
 * goes to ERROR (with Nova's fault) or vanishes.
 */
export async function waitForServer(
  cloud: Cloud,
  id: string,
  status: string,
  options: WaitOptions,
): Promise<Server> {
  return await poll(cloud, id, `become ${status}`, options, (server) => server.status === status);
}

/** Waits until Nova does nothing with the server any more (snapshots, power changes); throws as {@link waitForServer}. */
export async function waitForServerIdle(cloud: Cloud, id: string, options: WaitOptions): Promise<Server> {
  return await poll(cloud, id, "become idle", options, (server) => server.taskState === null);
}

/** Waits until a deleted server is gone; one whose deletion ends in ERROR throws {@link ServerFailedError}. */
export async function waitForServerGone(cloud: Cloud, id: string, options: WaitOptions): Promise<void> {
  await waitFor(options.signal, options.everyMs ?? EVERY_MS, async (signal) => {
    const server = await look(cloud, id, signal);
    if (server === undefined) return true;
    // Nova's quota and ports are still held by such a server, so waiting on would tell nothing
    if (server.status === "ERROR" && server.taskState === null && server.fault !== null) {
      throw new ServerFailedError(`server ${id} was not deleted: ${server.fault}`, id, server.fault);
    }
    return undefined;
  });
}

async function poll(
  cloud: Cloud,
  id: string,
  what: string,
  options: WaitOptions,
  isDone: (server: Server) => boolean,
): Promise<Server> {
  return await waitFor(options.signal, options.everyMs ?? EVERY_MS, async (signal) => {
    const server = await look(cloud, id, signal);
    if (server === undefined) {
      throw new ServerFailedError(`server ${id} did not ${what}: it is gone`, id, null);
    }
    if (isDone(server)) return server;
    if (server.status !== "ERROR") return undefined;
    const { fault } = server;
    const why = fault ?? "Nova gives no reason";
    throw new ServerFailedError(`server ${id} did not ${what}: it is in ERROR (${why})`, id, fault);
  });
}

async function look(cloud: Cloud, id: string, signal: AbortSignal): Promise<Server | undefined> {
  try {
    const server = await getServer(cloud, id, { signal });
    return GONE.has(server.status) ? undefined : server;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
