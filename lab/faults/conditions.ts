/** What lasts until it is changed: a cloud whose clock is wrong, and whose tokens end early. */
import type { IncomingHttpHeaders } from "node:http";
import * as v from "valibot";
import { AppError } from "../../src/base/errors.ts";

const schema = v.strictObject({
  /** By how much the cloud's clock is ahead of ours, in milliseconds; negative: behind. */
  clockAheadMs: v.pipe(v.number(), v.integer()),
  /** How long tokens live that are issued from now on, in milliseconds; null: as Keystone says. */
  tokenMs: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))),
});

/** What is so of all calls, whatever the rules say. */
export type Conditions = v.InferOutput<typeof schema>;

/** A cloud as it is. */
export const NORMAL: Conditions = { clockAheadMs: 0, tokenMs: null };

/** Conditions from JSON text; what is absent is normal. Throws {@link AppError} naming the first thing that is wrong. */
export function parseConditions(text: string): Conditions {
  const result = v.safeParse(
    v.pipe(
      v.string(),
      v.parseJson(),
      v.record(v.string(), v.unknown()),
      v.transform((given) => ({ ...NORMAL, ...given })),
      schema,
    ),
    text,
  );
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new AppError(`conditions: ${v.getDotPath(issue) ?? "the text"}: ${issue.message}`);
}

/** Times that Keystone, Nova, Glance and Neutron tell; tags that users set have other names. */
const TIMES = /("(?:created|updated|issued|expires)(?:_at)?": ?")(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/g;

/** The times in a reply's JSON text as a clock tells them that is `aheadMs` ahead. */
export function shiftTimes(text: string, aheadMs: number): string {
  if (aheadMs === 0) return text;
  return text.replace(TIMES, (_, key: string, time: string) => {
    const shifted = new Date(Date.parse(`${time}Z`) + aheadMs).toISOString();
    return key + shifted.slice(0, time.length);
  });
}

/** The headers with the date that such a clock tells. */
export function shiftDate<H extends IncomingHttpHeaders>(headers: H, aheadMs: number): H {
  if (headers.date === undefined || aheadMs === 0) return headers;
  return { ...headers, date: new Date(Date.parse(headers.date) + aheadMs).toUTCString() };
}

/** The reply to a sign-in, with a token that ends `tokenMs` after it was issued. */
export function shortenLife(text: string, tokenMs: number | null): string {
  if (tokenMs === null) return text;
  const [, issued = ""] = /"issued_at": ?"([^"]+)"/.exec(text) ?? [];
  const end = new Date(Date.parse(issued) + tokenMs).toISOString();
  return text.replace(/("expires_at": ?")[^"]+/, (_, key: string) => key + end);
}
