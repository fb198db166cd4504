import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import type { FailedTarget } from "../../../src/build/build-image.ts";
import type { NewJournalEvent } from "../../../src/build/journal.ts";
import { lookAtPublished } from "../../../src/build/look.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import { html, json, openStub, startStub, type Answer } from "../../support/openstack-stub.ts";

const image = (id: string, status: string): object => ({
  id,
  name: "x",
  status,
  visibility: "private",
  created_at: "2026-11-23T20:00:00Z",
});

/** What is journalled when `text` is the record of what is published and the one cloud that answers says `answer`. */
async function look(
  text: string,
  answer: Answer,
  failures: readonly FailedTarget[] = [],
  signal = new AbortController().signal,
  wanted: readonly string[] | null = null,
): Promise<readonly NewJournalEvent[]> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "look-"));
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("GET", "/image/v2/images", answer);
  const file = join(folder.path, "published.json");
  await writeFile(file, text);
  const events: NewJournalEvent[] = [];
  const journal = { add: (event: NewJournalEvent) => void events.push(event) };
  const targets = { names: ["a"], clouds: [cloud], failures };
  await lookAtPublished(
    targets,
    { publishedFile: file, targets: wanted },
    { journal, log: silentLogger, signal },
  );
  return events;
}

const list = json(200, {
  images: [image("i1", "active"), image("i2", "deactivated"), image("other", "active")],
});
const published = formatPublished(["i1", "i2", "i3"]);

describe("looking at what is published", () => {
  test("tells what is there, active, and what is not", async () => {
    expect(await look(published, list)).toEqual([{ event: "looked", found: ["i1"], missing: ["i2", "i3"] }]);
  });

  test("calls nothing missing that a cloud may have which lets nobody in", async () => {
    expect(await look(published, list, [{ cloud: "b", error: "no" }])).toEqual([
      { event: "looked", found: ["i1"], missing: [] },
    ]);
  });

  test("calls nothing missing that a cloud may have which was not asked for", async () => {
    expect(await look(published, list, [], undefined, ["a"])).toEqual([
      { event: "looked", found: ["i1"], missing: [] },
    ]);
  });

  test("asks nobody while nothing is published", async () => {
    expect(await look(formatPublished([]), list)).toEqual([]);
  });

  test.each([
    ["a cloud fails", published, html(403, "no")],
    ["the record is broken", "{", list],
  ])("says nothing, and fails no build, when %s", async (_what, text, answer) => {
    expect(await look(text, answer)).toEqual([]);
  });

  test("ends when the build is cancelled", async () => {
    await expect(look(published, list, [], AbortSignal.abort(new Error("cancelled")))).rejects.toThrow(
      "cancelled",
    );
  });
});
