/** Why a guest does not answer: its server may have failed or be gone. */
import { getServer, isNotFound, ServerFailedError, type Cloud, type Server } from "../../openstack/index.ts";

/** Throws {@link ServerFailedError} when the server is in ERROR or gone; all else is fine. */
export async function checkServer(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  let server: Server;
  try {
    server = await getServer(cloud, id, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new ServerFailedError(`server ${id} is gone: somebody else deleted it`, id, null);
  }
  if (server.status !== "ERROR") return;
  const why = server.fault ?? "Nova gives no reason";
  throw new ServerFailedError(`server ${id} is in ERROR (${why})`, id, server.fault);
}
