/** Deleting one thing for certain. */
import { isNotFound, ReplyError } from "./errors.ts";
import { request } from "./request.ts";
import type { CallOptions, Service } from "./types.ts";

/** What Nova, Neutron and Glance answer to a DELETE that they carry out; Nova says 202 where it has only begun. */
const DELETED = [202, 204];

/**
 * Deletes what `path` names; `what` is for messages: "server b1f2". What is gone already is fine, but a 404 is
 * believed only when the thing cannot be read either: one that came from a proxy would leave it there for ever.
 */
export async function deleteFor(
  service: Service,
  path: string,
  what: string,
  { signal }: CallOptions,
): Promise<void> {
  for (let isSecond = false; ; isSecond = true) {
    try {
      return void (await request(service, {
        method: "DELETE",
        path,
        what: `delete ${what}`,
        accepts: DELETED,
        signal,
      }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (!(await isThere(service, path, what, signal))) return;
      if (isSecond)
        throw new ReplyError(`cannot delete ${what}: ${service.name} says HTTP 404, but it is there`);
    }
  }
}

async function isThere(service: Service, path: string, what: string, signal: AbortSignal): Promise<boolean> {
  try {
    await request(service, { method: "GET", path, what: `read ${what}`, signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
