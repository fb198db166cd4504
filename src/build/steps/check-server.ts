/** Why a guest does not answer: its server may have failed or be gone. */
import { getServer, isNotFound, ServerFailedError, type Cloud, type Server } from "../../openstack/index.ts";

/** Nova shows a server that it has just deleted for a moment longer (api-ref/compute, "Server status"). */
const GONE: ReadonlySet<string> = new Set(["DELETED", "SOFT_DELETED"]);

/** Throws {@link ServerFailedError} when the server is in ERROR or gone; all else is fine. */
export async function checkServer(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const server = await look(cloud, id, signal);
  if (server === null || GONE.has(server.status)) {
    throw new ServerFailedError(`server ${id} is gone: somebody else deleted it`, id, null);
  }
  if (server.status !== "ERROR") return;
  const why = server.fault ?? "Nova gives no reason";
  throw new ServerFailedError(`server ${id} is in ERROR (${why})`, id, server.fault);
}

async function look(cloud: Cloud, id: string, signal: AbortSignal): Promise<Server | null> {
  try {
    return await getServer(cloud, id, { signal });
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
