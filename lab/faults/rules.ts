/** Which call gets which fault: plain data, from a file or over HTTP. */
import * as v from "valibot";
import { AppError } from "../../src/base/errors.ts";

/** Services as the proxy tells them apart: the catalogue's types; Keystone is `identity`. */
export const SERVICES = ["identity", "compute", "image", "network"] as const;
/** One of {@link SERVICES}. */
export type FaultyService = (typeof SERVICES)[number];

const Positive = v.pipe(v.number(), v.integer(), v.minValue(1));

const Fault = v.variant("kind", [
  /** An answer of the proxy's own, the call is not forwarded; `retryAfter` in seconds, `message` what it says. */
  v.strictObject({
    kind: v.literal("status"),
    status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
    retryAfter: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    message: v.optional(v.string()),
  }),
  /** A page as load balancers send it, with any status. */
  v.strictObject({ kind: v.literal("html"), status: v.pipe(v.number(), v.integer()) }),
  /** The connection ends; "after" means that the service did what it was told and its answer is lost. */
  v.strictObject({ kind: v.literal("close"), when: v.picklist(["before", "after"]) }),
  v.strictObject({ kind: v.literal("delay"), ms: Positive }),
  /** No answer, ever; "after" as above. */
  v.strictObject({ kind: v.literal("hang"), when: v.picklist(["before", "after"]) }),
  /** The connection ends in the middle of the body. */
  v.strictObject({ kind: v.literal("truncate"), of: v.picklist(["request", "reply"]) }),
  /** A byte of data is another one; text is no longer JSON. The length stays. */
  v.strictObject({ kind: v.literal("corrupt"), of: v.picklist(["request", "reply"]) }),
  v.strictObject({ kind: v.literal("drip"), bytesPerSecond: Positive }),
  /** The service's answer with each match of a regular expression in its JSON text replaced: a state that it is not in. */
  v.strictObject({
    kind: v.literal("replace"),
    pattern: v.pipe(
      v.string(),
      v.check((text) => isPattern(text), "must be a regular expression"),
    ),
    with: v.string(),
  }),
]);

const Rule = v.strictObject({
  service: v.optional(v.picklist(["any", ...SERVICES]), "any"),
  method: v.optional(v.picklist(["any", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]), "any"),
  /** Regular expression that the path, without the service's version, matches somewhere. */
  path: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => isPattern(text), "must be a regular expression"),
    ),
    "",
  ),
  /** The first of the matching calls that gets the fault, counted from 1. */
  nth: v.optional(Positive, 1),
  /** How many get it; null: all from then on. */
  times: v.optional(v.nullable(Positive), 1),
  fault: Fault,
});

/** What happens to a call. */
export type Fault = v.InferOutput<typeof Fault>;
/** One rule; the first that takes a call decides. */
export type FaultRule = v.InferOutput<typeof Rule>;

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, "u") instanceof RegExp;
  } catch {
    return false;
  }
}

/** Rules from JSON text: a list. Throws {@link AppError} naming the first thing that is wrong. */
export function parseRules(text: string): readonly FaultRule[] {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(Rule)), text);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new AppError(`fault rules: ${v.getDotPath(issue) ?? "the text"}: ${issue.message}`);
}

/** A rule with everything but the fault defaulted. */
export function ruleOf(fault: Fault, where: Partial<Omit<FaultRule, "fault">> = {}): FaultRule {
  return { service: "any", method: "any", path: "", nth: 1, times: 1, ...where, fault };
}

/** What a rule looks at. */
export interface SeenCall {
  readonly service: FaultyService;
  readonly method: string;
  readonly path: string;
}

/** Gives the fault of each call in its turn; null where it is to pass. Counts the calls that each rule matches. */
export function faultChooser(rules: readonly FaultRule[]): (call: SeenCall) => Fault | null {
  const counted = rules.map((rule) => ({ rule, pattern: new RegExp(rule.path, "u"), seen: 0 }));
  return (call) => {
    let chosen: Fault | null = null;
    for (const each of counted) {
      const { rule, pattern } = each;
      const matches =
        (rule.service === "any" || rule.service === call.service) &&
        (rule.method === "any" || rule.method === call.method) &&
        pattern.test(call.path);
      if (!matches) continue;
      each.seen += 1;
      const last = rule.times === null ? Infinity : rule.nth + rule.times - 1;
      if (chosen === null && each.seen >= rule.nth && each.seen <= last) chosen = rule.fault;
    }
    return chosen;
  };
}
