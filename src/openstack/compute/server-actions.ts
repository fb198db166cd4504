/** What Nova does with a server on demand (docs.openstack.org/api-ref/compute, "Servers - run an action"). */
import * as v from "valibot";
import { AppError } from "../../base/errors.ts";
import { createOrFind } from "../create.ts";
import { isConflict } from "../errors.ts";
import { headerText } from "../exchange.ts";
import { listImages } from "../image/images.ts";
import { type Call, parseReply, type Reply, request } from "../request.ts";
import { LASTING_TOKEN_MS } from "../token.ts";
import type { CallOptions, Cloud } from "../types.ts";
import { getServer } from "./servers.ts";

/** Asks Nova to shut a server down; one that is off already is fine. It is SHUTOFF later: `waitForServer`. */
export async function stopServer(cloud: Cloud, id: string, options: CallOptions): Promise<void> {
  try {
    const what = `stop server ${id}`;
    await act(cloud, id, { "os-stop": null }, { what, idempotent: true, accepts: [202], ...options });
  } catch (error) {
    if (!isConflict(error)) throw error;
    const server = await getServer(cloud, id, options);
    if (server.status !== "SHUTOFF" && server.taskState !== "powering-off") throw error;
  }
}

/**
 * Makes an image of the server's disk and gives its id; the image is `queued` or `saving` then, see
 * `waitForImage`. `metadata` becomes image properties; with `name` it must be unique, so that the image is
 * found again when the reply is lost. The caller deletes the image.
 */
export async function createServerImage(
  cloud: Cloud,
  id: string,
  image: { readonly name: string; readonly metadata: Readonly<Record<string, string>> },
  options: CallOptions,
): Promise<string> {
  const what = `create image ${image.name} of server ${id}`;
  return await createOrFind(
    cloud.compute,
    options.signal,
    async () => {
      const body = { createImage: { name: image.name, metadata: image.metadata } };
      // Nova sends the data to Glance with this token, after its reply
      const call = { what, idempotent: false, tokenMs: LASTING_TOKEN_MS, ...options };
      return imageIdOf(await act(cloud, id, body, call), what);
    },
    async () => {
      const images = await listImages(cloud, { name: image.name, owner: cloud.projectId }, options);
      const wanted = Object.entries({ ...image.metadata, instance_uuid: id });
      return images.find((each) => wanted.every(([key, value]) => each.properties[key] === value))?.id;
    },
  );
}

/** From compute API 2.45 on the id is in the body, before that at the end of the Location header. */
function imageIdOf(reply: Reply, what: string): string {
  const body = v.safeParse(v.object({ image_id: v.string() }), reply.body);
  if (body.success) return body.output.image_id;
  const id = headerText(reply.headers, "location")?.replace(/\/+$/, "").split("/").at(-1);
  if (id === undefined || id === "") throw new AppError(`cannot ${what}: the reply names no image`);
  return id;
}

/** The last `lines` lines that the server wrote to its console. */
export async function consoleOutput(
  cloud: Cloud,
  id: string,
  lines: number,
  options: CallOptions,
): Promise<string> {
  const what = `read the console of server ${id}`;
  const body = { "os-getConsoleOutput": { length: lines } };
  const reply = await act(cloud, id, body, { what, idempotent: true, ...options });
  return parseReply(v.object({ output: v.nullish(v.string(), "") }), reply.body, what).output;
}

async function act(
  cloud: Cloud,
  id: string,
  body: object,
  options: CallOptions & Pick<Call, "what" | "idempotent" | "accepts" | "tokenMs">,
): Promise<Reply> {
  const path = `/servers/${encodeURIComponent(id)}/action`;
  return await request(cloud.compute, { method: "POST", path, body, ...options });
}
