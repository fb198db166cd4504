/** Which runner an image gets. */
import { seconds } from "../../base/deadline.ts";
import { AppError } from "../../base/errors.ts";
import { ask, type HttpReply } from "../../base/http.ts";

/** To be told of a newer release is worth no more waiting. */
const NEWEST_LIMIT_MS = seconds(10);

/** A GitHub runner release, `2.330.0`. */
const VERSION = /^\d+\.\d+\.\d+$/;

/** Longest text that can be a version. */
const LONGEST_TEXT = 40;

/**
 * The version to install: `wanted`, or for `latest` the one that `<mirror>/latest` redirects to
 * (`…/tag/v2.330.0`, as GitHub's release pages do) or, where it is a file, is the text of (`v2.330.0`).
 */
export async function resolveRunnerVersion(
  wanted: string,
  mirror: string,
  signal: AbortSignal,
): Promise<string> {
  if (wanted !== "latest") return wanted;
  const url = `${mirror.replace(/\/+$/, "")}/latest`;
  // where it leads is the answer, and is not followed
  await using reply = await ask({ option: "runner-mirror", url }, {}, signal);
  const told = reply.header("location")?.split("/").at(-1) ?? (reply.isOk ? await shortText(reply) : "");
  const version = told.trim().replace(/^v/, "");
  if (!VERSION.test(version)) {
    throw new AppError(`runner-mirror: ${url} does not lead to a release (HTTP ${reply.status})`);
  }
  return version;
}

/** Its text; nothing when it is longer than {@link LONGEST_TEXT} bytes, of which no more is read. */
async function shortText(reply: HttpReply): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of reply.chunks()) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length > LONGEST_TEXT) return "";
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * The newest version on `mirror`, of use only to tell how old a pinned one is: null when the mirror does not say so
 * within ten seconds, as one does that has nothing but pinned versions. Throws the signal's reason alone.
 */
export async function newestRunner(mirror: string, signal: AbortSignal): Promise<string | null> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(NEWEST_LIMIT_MS)]);
    return await resolveRunnerVersion("latest", mirror, limit);
  } catch {
    signal.throwIfAborted();
    return null;
  }
}
