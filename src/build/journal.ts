/**
 * The journal: one JSON line per thing that happened in a build. It is the truth about builds; charm, CLI and
 * actions read it and keep nothing beside it. Lines are appended and synced one by one, so that what was
 * written survives SIGKILL and power loss; a torn last line is ignored by readers.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, fsyncSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { asDiskFull } from "../base/disk-full.ts";
import { isMissing } from "../base/files.ts";
import { redact } from "../base/redact.ts";
import { ARCHITECTURES, BASES } from "./types.ts";

const text = v.string();
const spec = v.object({ base: v.picklist(BASES), arch: v.picklist(ARCHITECTURES) });

const eventSchema = v.variant("event", [
  /** The builder process has begun; `process` tells a living one from a reused process id. */
  v.object({ event: v.literal("started"), at: text, process: text }),
  v.object({ event: v.literal("step-started"), at: text, image: text, step: text }),
  v.object({
    event: v.literal("step-ended"),
    at: text,
    image: text,
    step: text,
    ms: v.number(),
    error: v.nullable(text),
  }),
  /** How far a transfer is, at most every second. */
  v.object({
    event: v.literal("progress"),
    at: text,
    image: text,
    step: text,
    done: v.number(),
    total: v.number(),
  }),
  /** What a build took or learned from outside, such as `runner` or an image's `base image`: a value of `FOUND`. */
  v.object({ event: v.literal("found"), at: text, image: text, what: text, value: text }),
  /** The clouds that an image is about to be uploaded to. */
  v.object({ event: v.literal("targets"), at: text, image: text, clouds: v.array(text) }),
  /** A remote thing that this build made. */
  v.object({ event: v.literal("created"), at: text, image: text, kind: text, id: text, name: text }),
  v.object({
    event: v.literal("artifact"),
    at: text,
    spec,
    cloud: text,
    imageId: text,
    sizeBytes: v.number(),
    hash: text,
    /** The build that made the content, where it is not this one. */
    build: v.optional(text),
    /** When the image was made, where it was not now. */
    made: v.optional(text),
  }),
  /** A cloud got no copy of an image. */
  v.object({ event: v.literal("upload-failed"), at: text, image: text, cloud: text, error: text }),
  /** Something that a dead build had left in `cloud` is deleted; `kind` is an orphan's. */
  v.object({ event: v.literal("reaped"), at: text, cloud: text, kind: text, name: text }),
  /** Which published images are there, whole, and which are in none of the clouds; unknown ones are in neither. */
  v.object({ event: v.literal("looked"), at: text, found: v.array(text), missing: v.array(text) }),
  /** The charm has published these images. */
  v.object({ event: v.literal("published"), at: text, ids: v.array(text) }),
  /** One image is given up; the others go on. */
  v.object({
    event: v.literal("image-failed"),
    at: text,
    image: text,
    error: text,
    /** The next thing to try, a sentence. */
    advice: v.optional(text),
  }),
  v.object({ event: v.literal("leftover"), at: text, what: text, error: text }),
  v.object({
    event: v.literal("ended"),
    at: text,
    outcome: v.picklist(["done", "failed", "cancelled", "interrupted"]),
    error: v.nullable(text),
    /** The next thing to try, a sentence. */
    advice: v.optional(text),
  }),
]);

/** One line of a journal; `image` is a {@link specName} or empty for the build as a whole. */
export type JournalEvent = v.InferOutput<typeof eventSchema>;

type WithoutTime<E> = E extends { at: string } ? Omit<E, "at"> : never;
/** An event as its writer gives it; the journal adds the time. */
export type NewJournalEvent = WithoutTime<JournalEvent>;

/** Where a build's events go. */
export interface Journal {
  readonly add: (event: NewJournalEvent) => void;
}

/** Name of the journal in a build's folder. */
export const JOURNAL_FILE = "journal.jsonl";

/** Room that a journal holds, so that a build can tell of a full disk as its last word. */
const RESERVE_FILE = "journal.reserve";
const RESERVE_BYTES = 16 * 1024;

/** A journal that is open; the caller disposes of it. */
export interface OpenJournal extends Journal, Disposable {
  /** Fires with a DiskFullError when the disk is full: what comes now must be little, and the build is to end. */
  readonly full: AbortSignal;
}

/**
 * Opens the journal in `folder` for appending; the caller disposes of it. `onEvent` hears of each event after
 * it is on disk. Throws DiskFullError when there is no room to begin with.
 */
export function openJournal(folder: string, onEvent: (event: JournalEvent) => void): OpenJournal {
  const path = join(folder, JOURNAL_FILE);
  const reserve = join(folder, RESERVE_FILE);
  const full = new AbortController();
  try {
    // not zeros: some file systems give them no room
    writeFileSync(reserve, randomBytes(RESERVE_BYTES), { mode: 0o600 });
  } catch (error) {
    rmSync(reserve, { force: true });
    throw asDiskFull(error, path) ?? error;
  }
  const file = openSync(path, "a", 0o640);
  const append = (text: string): void => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  };
  // closes a line that an earlier writer may have left torn
  if (fstatSync(file).size > 0) append("\n");
  return {
    full: full.signal,
    add(event) {
      const entry = { at: new Date().toISOString(), ...event } as JournalEvent;
      // the room that is left is for the end
      if (full.signal.aborted && entry.event === "progress") return;
      const line = `${redact(JSON.stringify(entry))}\n`;
      try {
        append(line);
      } catch (error) {
        const problem = asDiskFull(error, path);
        if (problem === null || full.signal.aborted) throw problem ?? error;
        rmSync(reserve, { force: true });
        append(`\n${line}`);
        full.abort(problem);
      }
      if (entry.event !== "progress") fsyncSync(file);
      onEvent(entry);
    },
    [Symbol.dispose]() {
      closeSync(file);
      rmSync(reserve, { force: true });
    },
  };
}

/** The events in `folder`'s journal, oldest first; none where there is no journal yet. */
export async function readJournal(folder: string): Promise<JournalEvent[]> {
  let content: string;
  try {
    content = await readFile(join(folder, JOURNAL_FILE), "utf8");
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return content.split("\n").flatMap(parseLine);
}

function parseLine(line: string): JournalEvent[] {
  if (line === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // the line that was being written when the power went; a writer always starts a new one
    return [];
  }
  const result = v.safeParse(eventSchema, value);
  // an event of a newer revision of this product: a reader takes what it knows
  return result.success ? [result.output] : [];
}
