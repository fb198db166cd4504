/** Which runner an image gets. */
import { AppError } from "../../base/errors.ts";
import { ask } from "../../base/http.ts";

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
  // where it leads is the answer, and is not followed; its body is never read
  await using reply = await ask({ option: "runner-mirror", url }, {}, signal);
  const version = reply.header("location")?.split("/").at(-1)?.replace(/^v/, "") ?? "";
  if (!VERSION.test(version)) {
    throw new AppError(`runner-mirror: ${url} does not lead to a release (HTTP ${reply.status})`);
  }
  return version;
}
