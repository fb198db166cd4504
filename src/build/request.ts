/** A build request as a file: parsed once, at the builder's door. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { ConfigError } from "../base/errors.ts";
import { LIMITS, LONGEST_LIMIT_MS, type LimitChanges } from "../base/limits.ts";
import { ARCHITECTURES, BASES, BUILD_KINDS, type BuildRequest } from "./types.ts";

const text = v.pipe(v.string(), v.nonEmpty("must not be empty"));
const list = v.array(text);

const specSchema = v.strictObject({ base: v.picklist(BASES), arch: v.picklist(ARCHITECTURES) });

const duration = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1, "must be at least 1 ms"),
  v.maxValue(LONGEST_LIMIT_MS, "must be at most 24 hours"),
);
const limitsSchema = v.pipe(
  v.record(v.picklist(Object.keys(LIMITS)), duration),
  v.transform((limits): LimitChanges => limits),
);

const schema = v.strictObject({
  id: v.pipe(text, v.regex(/^[a-z0-9-]{1,40}$/, "may hold a-z, 0-9 and - only")),
  kind: v.picklist(BUILD_KINDS),
  inputs: v.string(),
  access: v.string(),
  secretsDigest: v.string(),
  reason: text,
  createdAt: text,
  owner: v.strictObject({ modelUuid: text, application: text, unit: text }),
  otherUnits: list,
  images: v.pipe(v.array(specSchema), v.minLength(1, "needs at least one image")),
  targets: v.nullable(list),
  sources: v.array(v.strictObject({ spec: specSchema, cloud: text, imageId: text, buildId: text })),
  cloudsFile: text,
  buildCloud: text,
  flavor: v.string(),
  network: v.string(),
  baseImageMirror: v.pipe(text, v.url("must be a URL")),
  baseImageSerial: v.pipe(v.string(), v.regex(/^(\d{8}(\.\d+)?)?$/, "must be a serial such as 20261120.1")),
  requireSignature: v.boolean(),
  parallelImages: v.pipe(v.number(), v.integer(), v.minValue(1, "must be at least 1")),
  recipe: v.strictObject({
    packages: list,
    snaps: list,
    npmPackages: list,
    runnerVersion: text,
    runnerMirror: v.pipe(text, v.url("must be a URL")),
    aptMirror: v.string(),
    yqMirror: v.string(),
    proxy: v.strictObject({ http: v.string(), https: v.string(), noProxy: v.string() }),
  }),
  script: v.nullable(
    v.strictObject({
      url: v.pipe(text, v.url("must be a URL")),
      sha256: v.pipe(v.string(), v.regex(/^([0-9a-f]{64})?$/, "must be a SHA-256 in hex")),
    }),
  ),
  secretsFile: v.nullable(text),
  limits: limitsSchema,
  keepRevisions: v.pipe(v.number(), v.integer(), v.minValue(2, "must be at least 2")),
  publishedFile: v.nullable(text),
  wake: list,
});

/** The request in `json`; throws {@link ConfigError} with every problem, each naming its field and `source`. */
export function parseRequest(json: string, source: string): BuildRequest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ConfigError([`cannot read the build request ${source}: it is not JSON`], { cause: error });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new ConfigError(
    result.issues.map((issue) => `build request ${source}: ${v.getDotPath(issue) ?? "it"}: ${issue.message}`),
  );
}

/** What readers of old builds need of a request; written by any revision of this product. */
const orderSchema = v.object({
  id: text,
  kind: v.picklist(BUILD_KINDS),
  inputs: v.string(),
  access: v.string(),
  secretsDigest: v.string(),
  reason: text,
  createdAt: text,
  images: v.array(v.object({ base: v.picklist(BASES), arch: v.picklist(ARCHITECTURES) })),
  targets: v.optional(v.nullable(v.array(text)), null),
});

/** The part of a request that its history is told by. */
export type Order = v.InferOutput<typeof orderSchema>;

/** The order in a request's text; null when it is none. */
export function parseOrder(json: string): Order | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // half-written by hand or a broken disk: no build that anybody could speak of
    return null;
  }
  const result = v.safeParse(orderSchema, value);
  return result.success ? result.output : null;
}

/** A new build id, sortable by its time in milliseconds: `20261123t195102417-3f9a`. */
export function newBuildId(now: Date): string {
  return `${buildStamp(now)}-${randomBytes(2).toString("hex")}`;
}

/** The part of a build's id that tells its time: `20261123t195102417`. */
export function buildStamp(time: Date): string {
  return time.toISOString().replace(/[-:.]/g, "").replace("Z", "").toLowerCase();
}

/**
 * `now`, or the millisecond after the newest of `ids` where that is later: where the machine's clock has stepped back, the
 * next build's id sorts behind those before it all the same.
 */
export function timeAfter(now: Date, ids: readonly string[]): Date {
  const times = ids.map((id) => {
    const [, day = "", time = "", ms = "000"] = /^(\d{8})t(\d{6})(\d{3})?-/.exec(id) ?? [];
    const date = day.replace(/^(....)(..)/, "$1-$2-");
    return Date.parse(`${date}T${time.replace(/^(..)(..)/, "$1:$2:")}.${ms}Z`);
  });
  // an id of another form says nothing of time
  const newest = Math.max(...times.filter((time) => !Number.isNaN(time)), 0);
  return newest < now.getTime() ? now : new Date(newest + 1);
}
