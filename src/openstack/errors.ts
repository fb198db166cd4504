/** Failures of OpenStack calls, and the questions that callers ask about them. */
import { AppError, DeadlineError } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import type { ServiceName } from "./types.ts";

/** Where and how a call failed. */
export interface CallFailure {
  readonly service: ServiceName | "identity";
  readonly method: string;
  readonly url: string;
  /** HTTP status; `null` when no reply came. */
  readonly status: number | null;
  /** The reply's body, parsed where it is JSON. */
  readonly body: unknown;
  /** `x-openstack-request-id`, to look for in the cloud's logs. */
  readonly requestId: string | null;
  /** The pause that the service asked for (Retry-After), in milliseconds. */
  readonly retryAfterMs: number | null;
  /** Code of a transport failure, such as ECONNRESET. */
  readonly code: string | null;
}

/** 500 with them: OpenStack gives it when its database or message queue stumbles. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "EPIPE",
  "EAI_AGAIN",
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/** A call got no reply, or one that is not a success. Its message says what could not be done, and why. */
export class OpenStackError extends AppError implements CallFailure {
  readonly service: ServiceName | "identity";
  readonly method: string;
  readonly url: string;
  readonly status: number | null;
  readonly body: unknown;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly code: string | null;

  constructor(message: string, failure: CallFailure, options?: ErrorOptions) {
    super(redact(message), options);
    this.service = failure.service;
    this.method = failure.method;
    this.url = failure.url;
    this.status = failure.status;
    this.body = failure.body;
    this.requestId = failure.requestId;
    this.retryAfterMs = failure.retryAfterMs;
    this.code = failure.code;
  }

  /** Whether the same call may well succeed a moment later. */
  get isTransient(): boolean {
    return this.status === null
      ? this.code !== null && TRANSIENT_CODES.has(this.code)
      : TRANSIENT_STATUSES.has(this.status);
  }
}

/** A reply came that is not what the API says: cut, garbled, too large, or a page of somebody in between. */
export class ReplyError extends AppError {}

/** A server went to ERROR, or vanished, while somebody waited for something else. */
export class ServerFailedError extends AppError {
  readonly serverId: string;
  /** Nova's fault message, where it gave one. */
  readonly fault: string | null;

  constructor(message: string, serverId: string, fault: string | null) {
    super(message);
    this.serverId = serverId;
    this.fault = fault;
  }
}

/** An image was killed, deleted or vanished while somebody waited for it to become active. */
export class ImageFailedError extends AppError {
  readonly imageId: string;

  constructor(message: string, imageId: string, options?: ErrorOptions) {
    super(message, options);
    this.imageId = imageId;
  }
}

const hasStatus = (error: unknown, status: number): error is OpenStackError =>
  error instanceof OpenStackError && error.status === status;

/** The object does not exist, or this project may not see it. */
export const isNotFound = (error: unknown): boolean => hasStatus(error, 404);

/** The object's state forbids the call, or there is one like it; a used-up Neutron quota is none. */
export const isConflict = (error: unknown): boolean => hasStatus(error, 409) && !isQuotaExceeded(error);

/** The project may not do this; a used-up Nova quota is no such thing. */
export const isForbidden = (error: unknown): boolean => hasStatus(error, 403) && !isQuotaExceeded(error);

/** The credentials are wrong, or the token was refused twice. */
export const isUnauthorized = (error: unknown): boolean => hasStatus(error, 401);

/**
 * Whether a transfer that failed may go well when it is started anew: what is transient, and a token that ended in the
 * moment between the look at the image and its data; credentials that Keystone itself refuses are no such thing.
 */
export function mayStartAnew(error: unknown): boolean {
  if (!(error instanceof OpenStackError)) return false;
  return error.isTransient || (error.status === 401 && error.service !== "identity");
}

/** The project's quota is used up: Nova's 403 "Quota exceeded", Neutron's 409 OverQuota, Glance's 413. */
export function isQuotaExceeded(error: unknown): boolean {
  if (!(error instanceof OpenStackError)) return false;
  if (error.status === 413) return true;
  if (error.status === 403) return /quota exceeded/i.test(errorText(error.body));
  return (
    error.status === 409 && (neutronType(error) === "OverQuota" || /quota exceeded/i.test(error.message))
  );
}

/** The type in Neutron's error bodies, such as `SecurityGroupRuleExists`; `null` where there is none. */
export function neutronType(error: unknown): string | null {
  if (!(error instanceof OpenStackError) || !isRecord(error.body)) return null;
  const inner = error.body["NeutronError"];
  return isRecord(inner) && typeof inner["type"] === "string" ? inner["type"] : null;
}

/** Whether the request may have taken effect although no success came back. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (error instanceof DeadlineError || error instanceof ReplyError) return true;
  if (!(error instanceof OpenStackError) || error.service === "identity") return false;
  if (error.status !== null) return error.status >= 500;
  return error.code !== "ECONNREFUSED" && error.code !== "ENOTFOUND" && error.code !== "EAI_AGAIN";
}

/**
 * The sentence in an error body, whatever service sent it: Nova's `{"itemNotFound": {message}}`, Neutron's
 * `{"NeutronError": {message}}`, Keystone's `{"error": {message}}`, Glance's flat `{message}`, HTML pages of
 * Glance and of load balancers. Empty when there is none.
 */
export function errorText(body: unknown): string {
  return findText(body, 3)
    .replace(/<(title|style|script|head)\b.*?<\/\1>/gis, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[.:]$/, "")
    .slice(0, 500);
}

function findText(body: unknown, depth: number): string {
  if (typeof body === "string") return body;
  if (!isRecord(body) || depth === 0) return "";
  for (const key of ["message", "faultstring"]) {
    const value = body[key];
    if (typeof value === "string") return value;
  }
  for (const value of Object.values(body)) {
    const text = isRecord(value) || typeof value === "string" ? findText(value, depth - 1) : "";
    if (text !== "") return text;
  }
  return "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
