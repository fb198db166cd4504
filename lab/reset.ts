/** Empties the lab's projects over the APIs, each as its own user. */
import { seconds, waitFor, withDeadline } from "../src/base/deadline.ts";
import { AppError } from "../src/base/errors.ts";
import type { LabCredentials } from "./layout.ts";

const SERVERS_LIMIT_MS = seconds(120);

/** How many things of each sort were deleted. */
export interface ResetCounts {
  readonly servers: number;
  readonly keyPairs: number;
  readonly securityGroups: number;
  readonly images: number;
}

interface Session {
  readonly token: string;
  readonly projectId: string;
  /** Public endpoint by service type. */
  readonly endpoints: ReadonlyMap<string, string>;
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly protected?: boolean;
}

/**
 * Deletes all servers (and waits until they are gone), key pairs, security groups but `default`, and images
 * that the project owns. Something that another client deletes meanwhile is no error.
 */
export async function resetProject(credentials: LabCredentials, signal: AbortSignal): Promise<ResetCounts> {
  const session = await signIn(credentials, signal);
  const call = caller(session, signal);
  const listServers = async (): Promise<readonly Named[]> =>
    (await call<{ servers: Named[] }>("GET", "compute", "/servers")).servers;
  const servers = await listServers();
  for (const { id } of servers) await call("DELETE", "compute", `/servers/${id}`);
  await withDeadline(signal, SERVERS_LIMIT_MS, `deletion of ${servers.length} servers`, async (limited) => {
    await waitFor(limited, 300, async () => ((await listServers()).length === 0 ? true : undefined));
  });
  const { keypairs } = await call<{ keypairs: { keypair: { name: string } }[] }>(
    "GET",
    "compute",
    "/os-keypairs",
  );
  for (const { keypair } of keypairs) {
    await call("DELETE", "compute", `/os-keypairs/${encodeURIComponent(keypair.name)}`);
  }
  const { security_groups: groups } = await call<{ security_groups: Named[] }>(
    "GET",
    "network",
    `/v2.0/security-groups?project_id=${session.projectId}`,
  );
  const own = groups.filter(({ name }) => name !== "default");
  for (const { id } of own) await call("DELETE", "network", `/v2.0/security-groups/${id}`);
  let images = 0;
  for (;;) {
    // a page holds 25 images; each round deletes one
    const page = await call<{ images: Named[] }>("GET", "image", `/v2/images?owner=${session.projectId}`);
    if (page.images.length === 0) break;
    for (const image of page.images) {
      if (image.protected === true) await unprotect(call, image.id);
      await call("DELETE", "image", `/v2/images/${image.id}`);
      images += 1;
    }
  }
  return { servers: servers.length, keyPairs: keypairs.length, securityGroups: own.length, images };
}

type Call = <T>(method: string, service: string, path: string, body?: unknown, type?: string) => Promise<T>;

async function unprotect(call: Call, id: string): Promise<void> {
  const patch = [{ op: "replace", path: "/protected", value: false }];
  await call("PATCH", "image", `/v2/images/${id}`, patch, "application/openstack-images-v2.1-json-patch");
}

function caller(session: Session, signal: AbortSignal): Call {
  return async <T>(
    method: string,
    service: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ) => {
    const url = `${session.endpoints.get(service)}${path}`;
    const response = await fetch(url, {
      method,
      headers: { "x-auth-token": session.token, accept: "application/json", "content-type": type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
    const text = await response.text();
    if (!response.ok && !(method === "DELETE" && response.status === 404)) {
      throw new AppError(`cannot ${method} ${url}: ${response.status} ${text}`);
    }
    return (text === "" || method === "DELETE" ? undefined : JSON.parse(text)) as T;
  };
}

async function signIn(credentials: LabCredentials, signal: AbortSignal): Promise<Session> {
  const { authUrl, username, password, userDomainName, projectName, projectDomainName } = credentials;
  const user = { name: username, password, domain: { name: userDomainName } };
  const project = { name: projectName, domain: { name: projectDomainName } };
  const response = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      auth: { identity: { methods: ["password"], password: { user } }, scope: { project } },
    }),
    signal,
  });
  if (!response.ok) throw new AppError(`cannot sign in as ${username} at ${authUrl}: ${response.status}`);
  const { token } = (await response.json()) as {
    token: {
      project: { id: string };
      catalog: { type: string; endpoints: { interface: string; url: string }[] }[];
    };
  };
  const endpoints = new Map<string, string>();
  for (const service of token.catalog) {
    const found = service.endpoints.find((endpoint) => endpoint.interface === "public");
    if (found !== undefined) endpoints.set(service.type, found.url);
  }
  return { token: response.headers.get("x-subject-token") ?? "", projectId: token.project.id, endpoints };
}
