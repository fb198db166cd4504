/** The calls that a build makes, by what they are instead of by their ids. */
import type { ProxiedCall } from "../../../lab/faults/proxy.ts";
import { type Fault, type FaultRule, type FaultyService, ruleOf } from "../../../lab/faults/rules.ts";

/** The `nth` call of a build with this method to paths of this form. */
export interface KnownCall {
  readonly service: FaultyService;
  readonly method: string;
  /** Path with `{}` in place of ids and of names that are different in each build. */
  readonly form: string;
  readonly nth: number;
}

/** `image PUT /v2/images/{}/file #2`. */
export function callName({ service, method, form, nth }: KnownCall): string {
  return `${service} ${method} ${form} #${nth}`;
}

/** The form of a path: without ids and our own names. */
export function formOf(path: string): string {
  return path
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b/g, "{}")
    .replace(/(\/os-keypairs\/)[^/]+$/, "$1{}");
}

/**
 * The calls among `seen` to try faults on: whatever changes something, each time; a question the first time, and the
 * second where it was asked so often (a wait) that it is sure to come again.
 */
export function callsToTry(seen: readonly ProxiedCall[]): readonly KnownCall[] {
  const counts = new Map<string, { readonly call: KnownCall; count: number }>();
  for (const { service, method, path } of seen) {
    const call = { service, method, form: formOf(path), nth: 1 };
    const known = counts.get(callName(call)) ?? { call, count: 0 };
    known.count += 1;
    counts.set(callName(call), known);
  }
  return [...counts.values()].flatMap(({ call, count }) => {
    const times = call.method === "GET" ? (count >= 4 ? 2 : 1) : count;
    return Array.from({ length: times }, (_, index) => ({ ...call, nth: index + 1 }));
  });
}

/** The rule that spoils `call` and no other. */
export function ruleFor({ service, method, form, nth }: KnownCall, fault: Fault): FaultRule {
  const pattern = form
    .split("{}")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"))
    .join("[^\\/]+");
  return ruleOf(fault, { service, method: method as FaultRule["method"], path: `^${pattern}$`, nth });
}
