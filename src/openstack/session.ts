/** Signing in and sending requests through pkgcloud; the only importer of pkgcloud and `request`. */
import { readFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import * as v from "valibot";
import { asError, ConfigError } from "../base/errors.ts";
import { type LimitChanges, limitsWith } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import { registerSecret } from "../base/redact.ts";
import { retry } from "../base/retry.ts";
import { type CloudAuth, normaliseAuthUrl } from "./auth.ts";
import { apiUrl, chooseRegion, narrowCatalog, SELECTED_REGION, TokenReply } from "./catalog.ts";
import { OpenStackError } from "./errors.ts";
import { exchange, headerText, type RawReply } from "./exchange.ts";
import { refusedSignIn, unreachable, type UnscopedOutcome } from "./sign-in-failure.ts";
import { shareToken } from "./token.ts";
import type { CallOptions, Cloud, HttpRequest, OutgoingCall, Service, ServiceName } from "./types.ts";

/** Oldest compute API that knows all we send: tags at creation are of 2.52 (Nova Pike), image_id of 2.45. */
const COMPUTE_VERSION = "compute 2.52";
/** A sign-in that hears nothing for this long is tried again. */
const SIGN_IN_IDLE_MS = 15_000;
const SIGN_IN_ATTEMPTS = 3;

/**
 * Signs in to the cloud of `auth` and finds its services; `name` is for messages. Throws, each with one
 * sentence: {@link OpenStackError} when Keystone cannot be reached, is none, or refuses (status 401);
 * {@link ConfigError} for an unusable URL or CA file, a region that is missing or has to be chosen, a service
 * that the catalogue lacks. The caller closes what it gets.
 */
export async function openCloud(
  name: string,
  auth: CloudAuth,
  options: CallOptions & { readonly log: Logger; readonly limits?: LimitChanges },
): Promise<Cloud> {
  registerSecret(auth.password);
  const authUrl = normaliseAuthUrl(auth.authUrl);
  const wire = await openWire(auth);
  try {
    const { identity, account, signIn } = keystoneSession(name, auth, wire, options.log);
    const token = shareToken(signIn, wire.closed.signal);
    const policy = {
      attempts: SIGN_IN_ATTEMPTS,
      firstPauseMs: 250,
      longestPauseMs: 8000,
      when: (error: unknown) => error instanceof OpenStackError && error.isTransient,
    };
    await retry(options.signal, policy, () => token.authorize(options.signal));

    const open = async (type: ServiceName): Promise<Service> => ({
      name: type,
      limits: limitsWith(options.limits ?? {}),
      log: options.log.child({ cloud: name, service: type }),
      authorize: token.authorize,
      dropToken: token.drop,
      ...(await serviceClient(type, wire, authUrl, identity)),
    });
    return {
      name,
      authUrl,
      projectId: account.projectId,
      userId: account.userId,
      compute: await open("compute"),
      image: await open("image"),
      network: await open("network"),
      callCount: () => wire.calls,
      close: wire.close,
    };
  } catch (error) {
    wire.close();
    throw error;
  }
}

type Identity = InstanceType<Wire["Identity"]>;

/** The libraries and sockets of one cloud. */
interface Wire {
  readonly Client: typeof import("pkgcloud/lib/pkgcloud/openstack/client.js").default.Client;
  readonly Identity: typeof import("pkgcloud/lib/pkgcloud/openstack/context/identity.js").default.Identity;
  readonly send: typeof import("request").default;
  /** The options that make one request to `url` use this cloud's sockets and limits; counts it. */
  readonly optionsFor: (call: Pick<OutgoingCall, "url" | "idleMs" | "repeatable">) => Record<string, unknown>;
  readonly closed: AbortController;
  readonly close: () => void;
  calls: number;
}

const loadLibraries = async () =>
  await Promise.all([
    import("pkgcloud/lib/pkgcloud/openstack/client.js"),
    import("pkgcloud/lib/pkgcloud/openstack/context/identity.js"),
    import("request"),
  ]);

/** Loads the OpenStack library, which is otherwise loaded with the first sign-in. */
export async function loadOpenStack(): Promise<void> {
  await loadLibraries();
}

async function openWire(auth: CloudAuth): Promise<Wire> {
  const ca = await readCa(auth.caFile);
  const [client, identity, request] = await loadLibraries();
  const kept = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true, ...ca })] as const;
  const fresh = [new HttpAgent(), new HttpsAgent({ ...ca })] as const;
  const closed = new AbortController();
  const wire: Wire = {
    Client: client.default.Client,
    Identity: identity.default.Identity,
    send: request.default,
    closed,
    calls: 0,
    optionsFor({ url, idleMs, repeatable }) {
      wire.calls += 1;
      const [plain, tls] = repeatable ? kept : fresh;
      return {
        agent: url.startsWith("https:") ? tls : plain,
        ...ca, // once more beside the agent, because a tunnel through a proxy replaces the agent
        ...(idleMs === null ? {} : { timeout: idleMs }),
        strictSSL: true,
        followRedirect: false, // the token would travel to the other host
      };
    },
    close() {
      closed.abort(new Error("the cloud is closed"));
      for (const agent of [...kept, ...fresh]) agent.destroy();
    },
  };
  return wire;
}

async function readCa(path: string | null): Promise<{ readonly ca?: string }> {
  if (path === null) return {};
  try {
    return { ca: await readFile(path, "utf8") };
  } catch (cause) {
    throw new ConfigError([`cannot read the CA file ${path}: ${asError(cause).message}`], { cause });
  }
}

/** Keystone: `signIn` fills pkgcloud's identity with a token and the catalogue, and gives the token's life. */
function keystoneSession(
  name: string,
  auth: CloudAuth,
  wire: Wire,
  log: Logger,
): {
  readonly identity: Identity;
  readonly account: { readonly projectId: string; readonly userId: string };
  readonly signIn: (signal: AbortSignal) => Promise<number>;
} {
  const url = `${normaliseAuthUrl(auth.authUrl)}/v3/auth/tokens`;
  const account = { projectId: "", userId: "" };
  const identity = new wire.Identity({
    url,
    keystoneAuthVersion: "v3",
    username: auth.username,
    password: auth.password,
    domainName: auth.userDomainName,
    tenantName: auth.projectName,
    projectDomainName: auth.projectDomainName,
  });
  // its own is not coalesced, has no time limit and takes a 502 for a success; token.ts decides when to sign in
  identity.authorize = (first, second) => {
    const callback = typeof first === "function" ? first : second;
    callback?.();
  };

  const post = async (signal: AbortSignal, scoped: boolean): Promise<RawReply> => {
    identity._buildAuthenticationPayload();
    const json = identity._authenticationPayload;
    delete identity._authenticationPayload;
    if (json !== undefined && !scoped) json.auth.scope = "unscoped";
    const options = wire.optionsFor({ url, idleMs: SIGN_IN_IDLE_MS, repeatable: true });
    const outgoing = { uri: url, method: "POST", json, ...options };
    try {
      return await exchange(() => wire.send(outgoing), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(name, url, error);
    }
  };
  const askUnscoped = async (signal: AbortSignal): Promise<UnscopedOutcome> => {
    const { status } = await post(signal, false);
    if (status === 401) return "refused";
    return status === 201 ? "accepted" : "unknown";
  };
  const signIn = async (signal: AbortSignal): Promise<number> => {
    const raw = await post(signal, true);
    const id = headerText(raw.headers, "x-subject-token");
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), TokenReply), raw.text);
    if (raw.status !== 201 || id === null || !parsed.success) {
      const unscoped = raw.status === 401 ? await askUnscoped(signal) : "unknown";
      throw refusedSignIn(name, url, auth, raw, unscoped);
    }
    registerSecret(id);
    const { token } = parsed.output;
    const region = chooseRegion(token.catalog, auth.region, name);
    const catalog = narrowCatalog(token.catalog, region, name);
    identity._parseIdentityResponse({ token: { ...token, catalog } }, raw.headers);
    if (identity.token !== undefined) identity.token.expires = new Date(8.64e15); // see `authorize` above
    account.projectId = token.project.id;
    account.userId = token.user.id;
    log.debug({ cloud: name, region, project: token.project.id, expires: token.expires_at }, "signed in");
    return Date.parse(token.expires_at) - Date.parse(token.issued_at);
  };
  return { identity, account, signIn };
}

/** A pkgcloud client of one service. Its base client serves all three: it has none for Glance anyway. */
async function serviceClient(
  type: ServiceName,
  wire: Wire,
  authUrl: string,
  identity: Identity,
): Promise<Pick<Service, "url" | "open">> {
  const client = new wire.Client({
    authUrl,
    keystoneAuthVersion: "v3",
    region: SELECTED_REGION,
    earlyTokenTimeout: 0,
    // pkgcloud calls it with `new`; giving back the one identity is how its clients share a token
    identity: function shared() {
      return identity;
    },
  });
  client.serviceType = type;
  client.setCustomUserAgent("github-runner-image-builder");
  await new Promise<void>((resolve, reject) => {
    client.auth((error) => (error === undefined ? resolve() : reject(asError(error))));
  });
  let call: OutgoingCall | undefined;
  client.before.push((outgoing) => {
    if (call !== undefined) Object.assign(outgoing, wire.optionsFor(call));
    if (type === "compute") outgoing.headers["OpenStack-API-Version"] = COMPUTE_VERSION;
  });
  const open = (next: OutgoingCall): HttpRequest => {
    call = next; // the hooks run before _request returns
    const { method, url, headers, body } = next;
    return client._request({
      method,
      uri: url,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
    });
  };
  return { url: apiUrl(type, client._serviceUrl ?? ""), open };
}
