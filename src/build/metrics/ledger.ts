/**
 * What metrics need of builds that ended, taken from each journal once, when its build has ended: counters must not fall
 * when old builds are forgotten. A ledger that is lost begins anew with the builds that there are.
 */
import * as v from "valibot";
import { readOptional, writeAtomic } from "../../base/files.ts";
import { readJournal, type JournalEvent } from "../journal.ts";
import { FOUND } from "../releases.ts";
import type { Build } from "../history.ts";

/** How a build can end. */
export const OUTCOMES = ["done", "failed", "cancelled", "interrupted"] as const;
/** One of {@link OUTCOMES}. */
export type Outcome = (typeof OUTCOMES)[number];

/** Revisions that are remembered: more than any history of published images. */
const REVISIONS = 100;
/** Versions of the runner that are remembered. */
const RUNNERS = 50;

const text = v.string();
const time = v.nullable(text);
const counts = v.record(text, v.number());
const ledgerSchema = v.object({
  format: v.literal(1),
  /** Ids of the builds that are in here, as long as they have a folder. */
  counted: v.array(text),
  /** By `<kind> <outcome>`. */
  builds: counts,
  /** By kind of thing. */
  reaped: counts,
  lastSuccess: time,
  lastFailure: time,
  failuresInARow: v.number(),
  last: v.nullable(
    v.object({
      outcome: v.picklist(OUTCOMES),
      ms: v.nullable(v.number()),
      phases: v.array(v.object({ image: text, phase: text, ms: v.number() })),
      leftovers: v.number(),
    }),
  ),
  /** By cloud. */
  uploads: v.record(text, v.object({ success: time, failure: time })),
  look: v.nullable(v.object({ found: v.array(text), missing: v.array(text) })),
  /** By the build that made the content. */
  revisions: v.record(text, v.object({ runner: time, serials: v.record(text, text) })),
  /** When each version of the runner was seen first. */
  runners: v.record(text, text),
});

/** See the file's head; plain data that is JSON. Times are ISO texts. */
export type Ledger = v.InferOutput<typeof ledgerSchema>;

/** A ledger without a build. */
export const EMPTY: Ledger = {
  format: 1,
  counted: [],
  builds: {},
  reaped: {},
  lastSuccess: null,
  lastFailure: null,
  failuresInARow: 0,
  last: null,
  uploads: {},
  look: null,
  revisions: {},
  runners: {},
};

/**
 * The ledger at `path` brought up to `builds` (all that have a folder, oldest first), and written when it changed. `ended`
 * are the builds that were not in it: each is in there once.
 */
export async function keepLedger(
  path: string,
  builds: readonly Build[],
): Promise<{ readonly ledger: Ledger; readonly ended: readonly Build[] }> {
  const before = parse(await readOptional(path)) ?? EMPTY;
  const known = new Set(before.counted);
  const ended = builds.filter((build) => outcomeOf(build) !== null && !known.has(build.id));
  let ledger: Ledger = before;
  for (const build of ended) ledger = withBuild(ledger, build, await readJournal(build.folder));
  const there = new Set(builds.map(({ id }) => id));
  ledger = { ...ledger, counted: ledger.counted.filter((id) => there.has(id)) };
  if (JSON.stringify(ledger) !== JSON.stringify(before))
    await writeAtomic(path, `${JSON.stringify(ledger)}\n`, 0o600);
  return { ledger, ended };
}

function parse(json: string | undefined): Ledger | null {
  if (json === undefined) return null;
  try {
    const result = v.safeParse(ledgerSchema, JSON.parse(json));
    return result.success ? result.output : null;
  } catch {
    // a hand or a broken disk: it begins anew
    return null;
  }
}

function outcomeOf({ state }: Build): Outcome | null {
  return OUTCOMES.find((outcome) => outcome === state) ?? null;
}

/** Whether `build` makes new content, or finishes one that did: what the schedule is about. */
function isRebuild({ request }: Build): boolean {
  return request.kind === "build" || (request.kind === "copy" && request.reason === "retry");
}

/** `ledger` with one more build that has ended, and its journal. */
export function withBuild(ledger: Ledger, build: Build, events: readonly JournalEvent[]): Ledger {
  const outcome = outcomeOf(build);
  if (outcome === null) return ledger;
  const { id, request, startedAt } = build;
  const endedAt = build.endedAt ?? events.at(-1)?.at ?? request.createdAt;
  const isGood = outcome === "done";
  const isBad = outcome === "failed" || outcome === "interrupted";
  const counted = isRebuild(build);
  const key = `${request.kind} ${outcome}`;
  const ms = startedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);
  const found = events.filter((event) => event.event === "found");
  const looks = events.filter((event) => event.event === "looked");
  const look = looks.at(-1);
  return {
    ...ledger,
    counted: [...ledger.counted, id],
    builds: { ...ledger.builds, [key]: (ledger.builds[key] ?? 0) + 1 },
    reaped: withReaped(ledger.reaped, events),
    lastSuccess: counted && isGood ? endedAt : ledger.lastSuccess,
    lastFailure: counted && isBad ? endedAt : ledger.lastFailure,
    failuresInARow:
      !counted || outcome === "cancelled" ? ledger.failuresInARow : isGood ? 0 : ledger.failuresInARow + 1,
    last: counted
      ? {
          outcome,
          ms,
          phases: phasesOf(build),
          leftovers: events.filter(({ event }) => event === "leftover").length,
        }
      : ledger.last,
    // what is adopted was there before
    uploads: request.kind === "adopt" ? ledger.uploads : withUploads(ledger.uploads, events),
    look: look === undefined ? ledger.look : { found: look.found, missing: look.missing },
    revisions: newest({ ...ledger.revisions, ...revisionOf(id, found) }, REVISIONS),
    runners: withRunners(ledger.runners, found),
  };
}

/** A phase that ran more than once for an image counts with all its runs. */
function phasesOf({ steps }: Build): NonNullable<Ledger["last"]>["phases"] {
  const phases = new Map<string, { image: string; phase: string; ms: number }>();
  for (const { image, step, ms } of steps) {
    const before = phases.get(`${image}\n${step}`)?.ms ?? 0;
    phases.set(`${image}\n${step}`, { image, phase: step, ms: before + (ms ?? 0) });
  }
  return [...phases.values()];
}

function withReaped(before: Ledger["reaped"], events: readonly JournalEvent[]): Ledger["reaped"] {
  const reaped = { ...before };
  for (const event of events)
    if (event.event === "reaped") reaped[event.kind] = (reaped[event.kind] ?? 0) + 1;
  return reaped;
}

function withUploads(before: Ledger["uploads"], events: readonly JournalEvent[]): Ledger["uploads"] {
  const uploads = { ...before };
  for (const event of events) {
    if (event.event !== "artifact" && event.event !== "upload-failed") continue;
    const { success, failure } = uploads[event.cloud] ?? { success: null, failure: null };
    uploads[event.cloud] =
      event.event === "artifact" ? { success: event.at, failure } : { success, failure: event.at };
  }
  return uploads;
}

type Found = Extract<JournalEvent, { readonly event: "found" }>;

function revisionOf(id: string, found: readonly Found[]): Ledger["revisions"] {
  const runner = found.find(({ what }) => what === FOUND.runner)?.value ?? null;
  const serials = found
    .filter(({ what }) => what === FOUND.serial)
    .map(({ image, value }) => [image, value] as const);
  if (runner === null && serials.length === 0) return {};
  return { [id]: { runner, serials: Object.fromEntries(serials) } };
}

function withRunners(before: Ledger["runners"], found: readonly Found[]): Ledger["runners"] {
  const runners = { ...before };
  for (const { what, value, at } of found)
    if (what === FOUND.runner || what === FOUND.newestRunner) runners[value] ??= at;
  const kept = Object.entries(runners)
    .toSorted(([, a], [, b]) => (a < b ? -1 : 1))
    .slice(-RUNNERS);
  return Object.fromEntries(kept);
}

/** The `most` entries with the greatest keys: ids of builds begin with their time. */
function newest<T>(record: Readonly<Record<string, T>>, most: number): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(-most),
  );
}
