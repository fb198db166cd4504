/** When secrets expire and are to be rotated (contract 3.2, `secret-add`). */
import { UsageFailure } from "./failures.ts";

const UNIT_MS = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Months until the next rotation, or days where there are none. */
const ROTATIONS: Readonly<Record<string, { readonly months?: number; readonly hours?: number }>> = {
  never: {},
  hourly: { hours: 1 },
  daily: { hours: 24 },
  weekly: { hours: 7 * 24 },
  monthly: { months: 1 },
  quarterly: { months: 3 },
  yearly: { months: 12 },
};

/** The time that `--expire` means, in ISO 8601: RFC 3339, the same without a zone (UTC), or a Go duration after `now`. */
export function expiryTime(text: string, now: number): string {
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.test(text)) {
    const instant = Date.parse(/(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`);
    if (!Number.isNaN(instant)) return isoSeconds(instant);
  }
  if (!/^-?(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(text)) {
    throw new UsageFailure(`expire time or duration ${JSON.stringify(text)} not valid`);
  }
  if (text.startsWith("-"))
    throw new UsageFailure(`negative expire duration ${JSON.stringify(text)} not valid`);
  let ms = 0;
  for (const [, count = "0", unit = "s"] of text.matchAll(/([\d.]+)(ns|us|ms|s|m|h)/g))
    ms += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return isoSeconds(now + ms);
}

/** When a secret with this rotation policy is to be rotated next, in ISO 8601; empty for never. Throws for an unknown policy. */
export function nextRotation(policy: string, now: Date): string {
  const step = ROTATIONS[policy];
  if (step === undefined) throw new UsageFailure(`rotate policy ${JSON.stringify(policy)} not valid`);
  if (step.hours !== undefined) return isoSeconds(now.getTime() + step.hours * UNIT_MS.h);
  if (step.months === undefined) return "";
  const next = new Date(now);
  next.setUTCMonth(next.getUTCMonth() + step.months);
  return isoSeconds(next.getTime());
}

const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
