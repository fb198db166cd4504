/** Nova servers (docs.openstack.org/api-ref/compute, "Servers"). */
import * as v from "valibot";
import { deleteFor } from "../delete.ts";
import { AppError } from "../../base/errors.ts";
import { createOrFind } from "../create.ts";
import { requestAll, requestParsed } from "../request.ts";
import { LASTING_TOKEN_MS } from "../token.ts";
import type { CallOptions, Cloud } from "../types.ts";

/** An address of a server on one of its networks. */
export interface ServerAddress {
  readonly network: string;
  readonly address: string;
  readonly version: 4 | 6;
}

/** A virtual machine. */
export interface Server {
  readonly id: string;
  readonly name: string;
  /** Nova's status: BUILD, ACTIVE, SHUTOFF, ERROR and others. */
  readonly status: string;
  /** What Nova is doing with it; `null` when nothing. */
  readonly taskState: string | null;
  readonly addresses: readonly ServerAddress[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Why it is in ERROR. */
  readonly fault: string | null;
  readonly createdAt: Date;
}

const ServerBody = v.pipe(
  v.object({
    id: v.string(),
    name: v.string(),
    status: v.string(),
    "OS-EXT-STS:task_state": v.nullish(v.string(), null),
    addresses: v.optional(
      v.record(v.string(), v.array(v.object({ addr: v.string(), version: v.picklist([4, 6]) }))),
      {},
    ),
    metadata: v.optional(v.record(v.string(), v.string()), {}),
    fault: v.nullish(v.object({ message: v.string() }), null),
    created: v.string(),
  }),
  v.transform((reply): Server => ({
    id: reply.id,
    name: reply.name,
    status: reply.status,
    taskState: reply["OS-EXT-STS:task_state"],
    addresses: Object.entries(reply.addresses).flatMap(([network, list]) =>
      list.map(({ addr, version }) => ({ network, address: addr, version })),
    ),
    metadata: reply.metadata,
    fault: reply.fault?.message ?? null,
    createdAt: new Date(reply.created),
  })),
);

/** Nova's own limit for user data, in bytes after base64. */
const USER_DATA_LIMIT = 65_535;

/** What to make a server of. */
export interface NewServer {
  /** Unique, together with `metadata`: by these a server is found again whose creation got no reply. */
  readonly name: string;
  readonly imageId: string;
  readonly flavorId: string;
  readonly networkId: string;
  readonly keyName: string;
  /** Names or ids, as Nova takes them. */
  readonly securityGroupIds: readonly string[];
  /** Plain text, at most 65535 bytes once in base64. */
  readonly userData: string;
  readonly configDrive: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
}

/**
 * Orders a server and gives its id at once; it is BUILD then. Never makes two: a request whose reply was lost
 * is resolved by looking for the server. The caller deletes it.
 */
export async function createServer(
  cloud: Cloud,
  server: NewServer,
  options: CallOptions,
): Promise<{ readonly id: string }> {
  const userData = Buffer.from(server.userData).toString("base64");
  if (userData.length > USER_DATA_LIMIT) {
    throw new AppError(
      `cannot create server ${server.name}: its user data has ${userData.length} bytes in base64, ` +
        `Nova takes ${USER_DATA_LIMIT}`,
    );
  }
  const { signal } = options;
  const body = {
    server: {
      name: server.name,
      imageRef: server.imageId,
      flavorRef: server.flavorId,
      networks: [{ uuid: server.networkId }],
      key_name: server.keyName,
      security_groups: server.securityGroupIds.map((name) => ({ name })),
      user_data: userData,
      config_drive: server.configDrive,
      metadata: server.metadata,
      ...(server.tags === undefined ? {} : { tags: server.tags }),
    },
  };
  const Created = v.object({ server: v.object({ id: v.string() }) });
  return await createOrFind(
    cloud.compute,
    signal,
    async () => {
      const call = { method: "POST", path: "/servers", what: `create server ${server.name}` } as const;
      // Nova fetches the image and makes the port with this token, after its reply
      const lasting = { tokenMs: LASTING_TOKEN_MS, body, signal };
      const reply = await requestParsed(cloud.compute, Created, { ...call, ...lasting });
      return { id: reply.server.id };
    },
    async () => {
      const [found] = await listServers(cloud, { name: server.name, metadata: server.metadata }, options);
      return found === undefined ? undefined : { id: found.id };
    },
  );
}

/** The server `id`; see `isNotFound` for one that does not exist. */
export async function getServer(cloud: Cloud, id: string, options: CallOptions): Promise<Server> {
  const reply = await requestParsed(cloud.compute, v.object({ server: ServerBody }), {
    method: "GET",
    path: `/servers/${encodeURIComponent(id)}`,
    what: `get server ${id}`,
    signal: options.signal,
  });
  return reply.server;
}

/** The project's servers whose name is exactly `name` and whose metadata has all of `metadata`. */
export async function listServers(
  cloud: Cloud,
  filter: { readonly name?: string; readonly metadata?: Readonly<Record<string, string>> },
  options: CallOptions,
): Promise<Server[]> {
  const { name } = filter;
  const wanted = Object.entries(filter.metadata ?? {});
  // Nova takes the name as a regular expression of its database: a wide one here, the exact test below
  const query = name === undefined ? {} : { name: `^${name.replaceAll(/[^A-Za-z0-9_-]/g, ".")}$` };
  const servers = await requestAll(cloud.compute, "servers", ServerBody, {
    path: "/servers/detail",
    query,
    what: "list servers",
    signal: options.signal,
  });
  return servers.filter(
    (server) =>
      (name === undefined || server.name === name) &&
      wanted.every(([key, value]) => server.metadata[key] === value),
  );
}

/** Deletes a server; one that is gone already is fine. Nova finishes later: see `waitForServerGone`. */
export async function deleteServer(cloud: Cloud, id: string, options: CallOptions): Promise<void> {
  await deleteFor(cloud.compute, `/servers/${encodeURIComponent(id)}`, `server ${id}`, options);
}
