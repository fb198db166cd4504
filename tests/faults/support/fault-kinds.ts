/** What is done to a call. */
import type { Fault } from "../../../lab/faults/rules.ts";
import type { KnownCall } from "./calls.ts";

const REFUSALS: readonly Fault[] = [400, 401, 403, 404, 409, 413, 500, 502, 503, 504].map((status) => ({
  kind: "status",
  status,
}));

/** Slower than a call may be silent, see {@link SWEEP_LIMITS}. */
const LATE_MS = 6000;

/** Limits that let a fault that hangs be over in seconds. */
export const SWEEP_LIMITS = {
  call: 20_000,
  callSilence: 5000,
  firstByte: 5000,
  transferSilence: 5000,
  signIn: 60_000,
  launch: 60_000,
  snapshot: 60_000,
  upload: 90_000,
  build: 240_000,
  unwind: 60_000,
} as const;

/** All faults that make sense for `call`. */
export function faultsOf(call: KnownCall): readonly Fault[] {
  const sendsBody = ["POST", "PUT", "PATCH"].includes(call.method);
  const sendsData = call.method === "PUT" && call.form.endsWith("/file");
  return [
    ...REFUSALS,
    { kind: "status", status: 429, retryAfter: 1 },
    { kind: "status", status: 503, retryAfter: 2 },
    { kind: "html", status: 502 },
    { kind: "html", status: 200 },
    { kind: "close", when: "before" },
    { kind: "close", when: "after" },
    { kind: "hang", when: "before" },
    { kind: "hang", when: "after" },
    { kind: "delay", ms: LATE_MS },
    { kind: "truncate", of: "reply" },
    { kind: "corrupt", of: "reply" },
    { kind: "drip", bytesPerSecond: 1 },
    ...(sendsBody ? [{ kind: "truncate", of: "request" } as const] : []),
    ...(sendsData ? [{ kind: "corrupt", of: "request" } as const] : []),
  ];
}

/** `close after`, `503`: a fault's short name. */
export function faultName(fault: Fault): string {
  switch (fault.kind) {
    case "status":
      return `${fault.status}${fault.retryAfter === undefined ? "" : `, retry after ${fault.retryAfter} s`}`;
    case "html":
      return `a web page with ${fault.status}`;
    case "close":
    case "hang":
      return `${fault.kind} ${fault.when}`;
    case "truncate":
    case "corrupt":
      return `${fault.kind} the ${fault.of}`;
    case "delay":
      return `delay of ${fault.ms} ms`;
    case "replace":
      return `${fault.with} in the reply`;
    case "drip":
    default:
      return "drip";
  }
}

/** A part that stands for the whole: every call once, with the faults taking turns, and lost replies of all that creates. */
export function representative(calls: readonly KnownCall[]): readonly (readonly [KnownCall, Fault])[] {
  const chosen: (readonly [KnownCall, Fault])[] = [];
  calls.forEach((call, index) => {
    const faults = faultsOf(call);
    const fault = faults[(index * 7) % faults.length];
    if (fault !== undefined) chosen.push([call, fault]);
    const creates = call.method === "POST" && !call.form.endsWith("/tokens");
    if (creates) chosen.push([call, { kind: "close", when: "after" }]);
  });
  return chosen;
}
