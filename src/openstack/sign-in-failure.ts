/** Why Keystone did not let us in, in one sentence that tells what to mend. */
import { asError } from "../base/errors.ts";
import type { CloudAuth } from "./auth.ts";
import { errorText, OpenStackError } from "./errors.ts";
import { codeOf, parseBody, type RawReply, redirectOf, requestIdOf, retryAfterOf } from "./exchange.ts";
import { redact } from "../base/redact.ts";

/** What an attempt without a project said: see {@link refusedSignIn}. */
export type UnscopedOutcome = "refused" | "accepted" | "unknown";

const UNREACHABLE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
]);

const UNTRUSTED =
  /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_(HAS_EXPIRED|UNTRUSTED|NOT_YET_VALID|SIGNATURE)|ALTNAME/;

/** The error for a sign-in that got no reply. */
export function unreachable(name: string, url: string, cause: unknown): OpenStackError {
  const code = codeOf(cause);
  const { host } = new URL(url);
  let found = `${code ?? asError(cause).message} while talking to ${host}`;
  if (code !== null && UNREACHABLE.has(code)) found = `cannot reach ${host} (${code})`;
  if (code !== null && UNTRUSTED.test(code)) {
    found = `the TLS certificate of ${host} is not trusted (${code}); name its CA file in cacert`;
  }
  return new OpenStackError(
    `cannot sign in to cloud ${name}: ${found}`,
    {
      service: "identity",
      method: "POST",
      url,
      status: null,
      body: null,
      requestId: null,
      retryAfterMs: null,
      code,
    },
    { cause },
  );
}

/**
 * The error for a sign-in that was refused. Keystone answers a wrong password, an unknown user and an unknown
 * project with the same 401; whether the same password is accepted without a project tells them apart.
 */
export function refusedSignIn(
  name: string,
  url: string,
  auth: CloudAuth,
  raw: RawReply,
  unscoped: UnscopedOutcome,
): OpenStackError {
  const body = parseBody(redact(raw.text));
  const user = `user ${auth.username} of domain ${auth.userDomainName}`;
  const project = `project ${auth.projectName} of domain ${auth.projectDomainName}`;
  const text = errorText(body);
  let found = `HTTP ${raw.status} from Keystone${text === "" ? "" : `: ${text}`}`;
  const redirect = redirectOf(raw, url);
  if (redirect !== "") {
    found = `${auth.authUrl}${redirect}; set the auth URL to Keystone's own address (HTTP ${raw.status})`;
  } else if (raw.status === 401) {
    found = {
      refused: `wrong password for ${user}, or no such user`,
      accepted: `there is no ${project}, or ${user} has no role in it`,
      unknown: `${user} was refused for ${project}: wrong password, or one of them does not exist`,
    }[unscoped];
  } else if (!isKeystoneError(body) && raw.status < 429) {
    found = `there is no Keystone v3 at ${auth.authUrl} (HTTP ${raw.status} for ${url})`;
  }
  return new OpenStackError(`cannot sign in to cloud ${name}: ${found}`, {
    service: "identity",
    method: "POST",
    url,
    status: raw.status,
    body,
    requestId: requestIdOf(raw.headers),
    retryAfterMs: retryAfterOf(raw.headers, Date.now()),
    code: null,
  });
}

/** Keystone's errors, and nothing else's at that path, are `{error: {code, message, title}}`; a 404 is none. */
function isKeystoneError(body: unknown): boolean {
  if (typeof body !== "object" || body === null || !("error" in body)) return false;
  const { error } = body;
  return typeof error === "object" && error !== null && "code" in error && error.code !== 404;
}
