import { mkdtempDisposable, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DiskFullError } from "../../../src/base/disk-full.ts";
import { openJournal, readJournal } from "../../../src/build/journal.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";

const KIB = 1024;
const leftover = (what: string): { event: "leftover"; what: string; error: string } => ({
  event: "leftover",
  what,
  error: "in use",
});

test("a journal on a full disk keeps every event, says so, and has room for the end", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "journal-"));
  await using disk = await mountSmallDisk(folder.path, 256 * KIB);
  {
    using journal = openJournal(folder.path, () => {});
    disk.fill();
    const progress = { event: "progress", image: "noble-x64", step: "upload", done: 1, total: 2 } as const;
    let events = 0;
    for (; !journal.full.aborted && events < 1000; events += 1) journal.add(leftover(`thing ${events}`));
    expect(journal.full.reason).toBeInstanceOf(DiskFullError);
    expect(String(journal.full.reason)).toMatch(
      /^DiskFullError: the disk of this machine is full: cannot write \S+\/journal\.jsonl; free some space$/,
    );
    journal.add(progress);
    for (let end = 0; end < 20; end += 1) journal.add(leftover(`end ${end}`));
    journal.add({ event: "ended", outcome: "failed", error: "the disk is full" });
    const read = await readJournal(folder.path);
    expect(read.filter(({ event }) => event === "leftover")).toHaveLength(events + 20);
    expect(read.filter(({ event }) => event === "progress")).toEqual([]);
    expect(read.at(-1)).toMatchObject({ event: "ended", outcome: "failed" });
  }
  expect((await readdir(folder.path)).toSorted()).toEqual(["fill", "journal.jsonl"]);
});

test("a journal that finds no room at all is not begun", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "journal-"));
  await using disk = await mountSmallDisk(folder.path, 64 * KIB);
  disk.fill({ left: 4 * KIB });
  expect(() => openJournal(folder.path, () => {})).toThrow("the disk of this machine is full: cannot write ");
  expect(await readdir(folder.path)).toEqual(["fill"]);
});
