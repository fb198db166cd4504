/** Which runner an image gets. */
import { AppError } from "../../base/errors.ts";

/** A GitHub runner release, `2.330.0`. */
const VERSION = /^\d+\.\d+\.\d+$/;

/**
 * The version to install: `wanted`, or for `latest` the one that `<mirror>/latest` redirects to
 * (`…/tag/v2.330.0`, as GitHub's release pages do).
 */
export async function resolveRunnerVersion(
  wanted: string,
  mirror: string,
  signal: AbortSignal,
): Promise<string> {
  if (wanted !== "latest") return wanted;
  const url = `${mirror.replace(/\/+$/, "")}/latest`;
  let reply: Response;
  try {
    reply = await fetch(url, { redirect: "manual", signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new AppError(`runner-mirror: cannot reach ${url}`, { cause: error });
  }
  await reply.body?.cancel();
  const version = reply.headers.get("location")?.split("/").at(-1)?.replace(/^v/, "") ?? "";
  if (!VERSION.test(version)) {
    throw new AppError(`runner-mirror: ${url} does not lead to a release (HTTP ${reply.status})`);
  }
  return version;
}
