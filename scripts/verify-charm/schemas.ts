/** The forms of a charm's declarations, as Juju 3 and 4 read them (contract 6.1 and 6.3). */
import * as v from "valibot";
import type { Schema } from "../../lab/juju/schema.ts";
import { ARCHITECTURES, BASES } from "../pack/platforms.ts";

const text = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));

/** A name of an endpoint, option, action or parameter; charmcraft wants no `_` in it. */
const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, "the name may hold a-z, 0-9 and - only"),
);
const notJujus = v.check((key: string) => !/^juju(-|$)/.test(key), "names with juju belong to Juju");

const endpoint = v.strictObject({
  interface: v.pipe(text, v.regex(/^[a-z][\w-]*$/, "must be the name of an interface")),
  description: v.optional(text),
  optional: v.optional(v.boolean()),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1, "must be at least 1"))),
  scope: v.optional(v.picklist(["global", "container"], "must be global or container")),
});
const endpoints = v.optional(v.record(v.pipe(name, notJujus), endpoint));

const LIKE_THIS = 'must be like "juju >= 3.3"';
const assumption: v.GenericSchema<unknown> = v.union(
  [
    v.pipe(v.string(), v.regex(/^(k8s-api|juju (>=|<) \d+(\.\d+){0,2})$/, LIKE_THIS)),
    v.strictObject({ "any-of": v.array(v.lazy(() => assumption)) }),
    v.strictObject({ "all-of": v.array(v.lazy(() => assumption)) }),
  ],
  LIKE_THIS,
);

/** metadata.yaml. A key that Juju does not know is a mistake. */
export const Metadata = v.strictObject({
  name: v.pipe(text, v.regex(/^[a-z][a-z0-9]*(-[a-z0-9]*[a-z][a-z0-9]*)*$/, "is no charm's name to Juju")),
  "display-name": v.optional(text),
  summary: v.pipe(text, v.maxLength(200, "must be at most 200 characters long")),
  description: text,
  assumes: v.optional(v.array(assumption, "must be a list")),
  subordinate: v.optional(v.boolean()),
  maintainers: v.optional(v.array(text)),
  website: v.optional(v.union([text, v.array(text)])),
  source: v.optional(v.union([text, v.array(text)])),
  issues: v.optional(v.union([text, v.array(text)])),
  docs: v.optional(text),
  tags: v.optional(v.array(text)),
  terms: v.optional(v.array(text)),
  provides: endpoints,
  requires: endpoints,
  peers: endpoints,
  storage: v.optional(v.record(name, v.looseObject({ type: v.picklist(["filesystem", "block"]) }))),
  resources: v.optional(v.record(name, v.looseObject({ type: v.picklist(["file", "oci-image"]) }))),
  "extra-bindings": v.optional(v.record(name, v.null())),
});

/** config.yaml. */
export const Config = v.strictObject({
  options: v.record(
    name,
    v.pipe(
      v.strictObject({
        type: v.picklist(
          ["string", "int", "float", "boolean", "secret"],
          "must be string, int, float, boolean or secret",
        ),
        description: text,
        default: v.optional(
          v.union([v.string(), v.number(), v.boolean()], "must be a text, a number or a truth value"),
        ),
      }),
      v.check(
        ({ type, default: preset }) => type !== "secret" || preset === undefined,
        "a secret must have no default",
      ),
    ),
  ),
});

const parameter = v.looseObject({
  type: v.picklist(
    ["string", "integer", "number", "boolean", "array", "object"],
    "must be string, integer, number, boolean, array or object",
  ),
  description: text,
  $ref: v.optional(v.never("Juju refuses references")),
  $schema: v.optional(v.never("Juju refuses schemas of their own")),
});

/** actions.yaml. `additionalProperties` must be said: Juju 3 and 4 differ without it. */
export const Actions = v.record(
  v.pipe(name, notJujus),
  v.strictObject({
    description: text,
    params: v.optional(
      v.pipe(
        v.record(name, parameter),
        v.transform((params) => params as Readonly<Record<string, Schema>>),
      ),
    ),
    required: v.optional(v.array(v.string())),
    additionalProperties: v.boolean("must be true or false"),
    parallel: v.optional(v.boolean()),
    "execution-group": v.optional(text),
  }),
);

/** manifest.yaml. */
export const Manifest = v.looseObject({
  bases: v.pipe(
    v.array(
      v.strictObject({
        name: v.literal("ubuntu", "must be ubuntu"),
        channel: v.picklist(BASES, `must be a text, one of ${BASES.join(", ")}`),
        architectures: v.pipe(
          v.array(
            v.picklist(
              Object.keys(ARCHITECTURES) as (keyof typeof ARCHITECTURES)[],
              `must be one of ${Object.keys(ARCHITECTURES).join(", ")}`,
            ),
          ),
          v.length(1, "must be one: the charm holds programs"),
        ),
      }),
      "must be a list",
    ),
    v.minLength(1, "must name a base, without which Juju 4 refuses the charm"),
  ),
});
