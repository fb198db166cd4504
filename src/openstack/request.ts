/** Calls to a service: deadline, retries, one more sign-in after a 401, errors that say what failed. */
import type { IncomingHttpHeaders } from "node:http";
import * as v from "valibot";
import { withDeadline } from "../base/deadline.ts";
import { AppError, asError, DeadlineError } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import { retry } from "../base/retry.ts";
import { errorText, OpenStackError, ReplyError } from "./errors.ts";
import {
  codeOf,
  exchange,
  parseBody,
  type RawReply,
  redirectOf,
  requestIdOf,
  retryAfterOf,
} from "./exchange.ts";
import type { CallOptions, OutgoingCall, Service } from "./types.ts";

const ATTEMPTS = 8;
/** A reply that is not understood, or a 500, may be an accident; again and again it is none. */
const ODD_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8000;

/** What to ask of a service. */
export interface Call extends CallOptions {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the service's URL, already encoded; starts with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** For bodies that are not plain JSON objects (Glance's patches). */
  readonly contentType?: string;
  /** What this does, for errors: "delete server b1f2". */
  readonly what: string;
  /** Whether sending it twice does no more than once; by default all but POST and PATCH. */
  readonly idempotent?: boolean;
  /** The only statuses of success, where the API names them; by default all 2xx. */
  readonly accepts?: readonly number[];
  /** Default: the limit `call`. */
  readonly deadlineMs?: number;
  /** How long the token lasts at least, where the cloud's do; by default as long as a call takes. */
  readonly tokenMs?: number;
}

/** A successful reply. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/**
 * Does `call` and gives its reply, which has a 2xx status. Throws {@link OpenStackError} for any other
 * status or none, {@link DeadlineError} (with the last failure as cause) when the time is up.
 */
export async function request(service: Service, call: Call): Promise<Reply> {
  return await requestAs(service, call, (reply) => reply);
}

/** As {@link request}, with what `read` makes of the reply; where it throws {@link ReplyError}, the reply was garbled. */
async function requestAs<T>(service: Service, call: Call, read: (reply: Reply) => T): Promise<T> {
  const idempotent = call.idempotent ?? (call.method !== "POST" && call.method !== "PATCH");
  const deadlineMs = call.deadlineMs ?? service.limits.call;
  const endsAt = performance.now() + deadlineMs;
  let last: unknown;
  let odd = 0;
  const worthAnother = (error: unknown): boolean => {
    last = error;
    if (error instanceof ReplyError || (error instanceof OpenStackError && error.status === 500)) {
      odd += 1;
      return idempotent && odd < ODD_ATTEMPTS;
    }
    if (!(error instanceof OpenStackError) || !error.isTransient) return false;
    if (performance.now() + (error.retryAfterMs ?? 0) >= endsAt) return false;
    // a failed sign-in means that the call itself was never sent
    return (
      idempotent || error.service === "identity" || error.status === 429 || error.code === "ECONNREFUSED"
    );
  };
  const policy = {
    attempts: ATTEMPTS,
    firstPauseMs: FIRST_PAUSE_MS,
    longestPauseMs: LONGEST_PAUSE_MS,
    when: worthAnother,
    askedPauseMs: (error: unknown) =>
      error instanceof OpenStackError ? (error.retryAfterMs ?? undefined) : undefined,
    onRetry: (error: unknown, attempt: number) =>
      service.log.debug({ what: call.what, attempt, err: asError(error) }, "trying again"),
  };
  try {
    return await withDeadline(call.signal, deadlineMs, `cannot ${call.what}`, (signal) =>
      retry(signal, policy, async () => read(await tryOnce(service, call, idempotent, signal))),
    );
  } catch (error) {
    if (!(error instanceof DeadlineError) || last === undefined || call.signal.aborted) throw error;
    throw new DeadlineError(error.what, error.afterMs, { cause: last });
  }
}

async function tryOnce(
  service: Service,
  call: Call,
  idempotent: boolean,
  signal: AbortSignal,
): Promise<Reply> {
  for (let signIns = 1; ; signIns += 1) {
    const generation = await service.authorize(signal, call.tokenMs);
    const outgoing: OutgoingCall = {
      method: call.method,
      url: urlOf(service, call.path, call.query ?? {}),
      headers: call.contentType === undefined ? {} : { "Content-Type": call.contentType },
      ...(call.body === undefined
        ? {}
        : { body: call.contentType === undefined ? call.body : JSON.stringify(call.body) }),
      idleMs: idempotent ? service.limits.callSilence : null,
      repeatable: idempotent,
    };
    const startedAt = performance.now();
    let raw: RawReply;
    try {
      raw = await exchange(() => service.open(outgoing), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw failed(service, outgoing, call.what, error);
    }
    const { method, url } = outgoing;
    const requestId = requestIdOf(raw.headers);
    service.log.debug(
      { method, url, status: raw.status, requestId, ms: Math.round(performance.now() - startedAt) },
      "called",
    );
    if (raw.status === 401 && signIns === 1) {
      service.dropToken(generation);
      continue;
    }
    if (raw.status < 200 || raw.status > 299) throw refused(service, outgoing, call.what, raw);
    if (call.accepts?.includes(raw.status) === false) {
      // not the service but somebody in between: nothing is known to be done
      throw new ReplyError(
        `cannot ${call.what}: ${service.name} does not answer with HTTP ${raw.status} here`,
      );
    }
    return { status: raw.status, headers: raw.headers, body: parseBody(raw.text) };
  }
}

/** The absolute URL of `path` at `service`. */
export function urlOf(service: Service, path: string, query: Readonly<Record<string, string>>): string {
  const search = new URLSearchParams(query).toString();
  return `${service.url}${path}${search === "" ? "" : `?${search}`}`;
}

/** The error for a reply that is not a success. */
export function refused(
  service: Pick<Service, "name">,
  call: Pick<OutgoingCall, "method" | "url">,
  what: string,
  raw: RawReply,
): OpenStackError {
  const body = parseBody(redact(raw.text));
  const text = errorText(body);
  const redirect = redirectOf(raw, call.url);
  const found = redirect === "" ? text : `${service.name}${redirect}`;
  return new OpenStackError(
    `cannot ${what}: ${found === "" ? "" : `${found} `}(HTTP ${raw.status} from ${service.name})`,
    {
      service: service.name,
      method: call.method,
      url: call.url,
      status: raw.status,
      body,
      requestId: requestIdOf(raw.headers),
      retryAfterMs: retryAfterOf(raw.headers, Date.now()),
      code: null,
    },
  );
}

/** The error for a request that got no whole reply. */
export function failed(
  service: Pick<Service, "name">,
  call: Pick<OutgoingCall, "method" | "url">,
  what: string,
  cause: unknown,
): Error {
  if (cause instanceof AppError) return new ReplyError(`cannot ${what}: ${cause.message}`, { cause });
  const code = codeOf(cause);
  return new OpenStackError(
    `cannot ${what}: ${code ?? asError(cause).message} while talking to ${new URL(call.url).host}`,
    {
      service: service.name,
      method: call.method,
      url: call.url,
      status: null,
      body: null,
      requestId: null,
      retryAfterMs: null,
      code,
    },
    { cause },
  );
}

/** As {@link request}, with the body parsed by `schema`. */
export async function requestParsed<S extends v.GenericSchema>(
  service: Service,
  schema: S,
  call: Call,
): Promise<v.InferOutput<S>> {
  return await requestAs(service, call, ({ body }) => parseReply(schema, body, call.what));
}

/** `body` parsed by `schema`; throws {@link ReplyError} naming the first field that is not as the API says. */
export function parseReply<S extends v.GenericSchema>(
  schema: S,
  body: unknown,
  what: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  throw new ReplyError(`cannot ${what}: the reply is not understood (${flawOf(result.issues[0], body)})`);
}

function flawOf(issue: v.BaseIssue<unknown>, body: unknown): string {
  // a page of a proxy, or half a reply: its beginning says more than that it is no object
  if (typeof body === "string") return `it begins with "${redact(errorText(body).slice(0, 80))}"`;
  const at = v.getDotPath(issue);
  return `${at === null ? "" : `${at}: `}${redact(issue.message)}`;
}

/**
 * All items of a collection, over all its pages: `next` (Glance) or `<key>_links` (Nova, Neutron). Of a link
 * only the query is used, so that neither host nor path can change and the token stays at home.
 */
export async function requestAll<S extends v.GenericSchema>(
  service: Service,
  key: string,
  item: S,
  call: Omit<Call, "method" | "body">,
): Promise<v.InferOutput<S>[]> {
  const page = v.object({
    [key]: v.array(v.unknown()),
    next: v.optional(v.string()),
    [`${key}_links`]: v.optional(v.array(v.object({ rel: v.string(), href: v.string() }))),
  });
  const items: v.InferOutput<S>[] = [];
  const asked = new Set<string>();
  let query = call.query ?? {};
  while (!asked.has(JSON.stringify(query))) {
    asked.add(JSON.stringify(query));
    const body: Record<string, unknown> = await requestParsed(service, page, {
      ...call,
      method: "GET",
      query,
    });
    const found = parseReply(v.array(item), body[key], call.what);
    items.push(...found);
    const next = nextLink(body, key);
    if (next === undefined || found.length === 0) return items;
    query = Object.fromEntries(new URL(next, service.url).searchParams);
  }
  throw new AppError(`cannot ${call.what}: a page names itself or an earlier one as the next`);
}

const Links = v.fallback(v.array(v.object({ rel: v.string(), href: v.string() })), []);

function nextLink(body: Record<string, unknown>, key: string): string | undefined {
  if (typeof body["next"] === "string") return body["next"];
  return v.parse(Links, body[`${key}_links`]).find((link) => link.rel === "next")?.href;
}
