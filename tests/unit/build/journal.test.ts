import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { registerSecret } from "../../../src/base/redact.ts";
import { openJournal, readJournal, type JournalEvent } from "../../../src/build/journal.ts";

const temporary = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "journal-"));
const leftover = (what: string): { event: "leftover"; what: string; error: string } => ({
  event: "leftover",
  what,
  error: "in use",
});

describe("the journal", () => {
  test("gives back what was added, in order, with its time", async () => {
    await using folder = await temporary();
    const heard: JournalEvent[] = [];
    {
      using journal = openJournal(folder.path, (event) => heard.push(event));
      journal.add({ event: "started", process: "1:2:3" });
      journal.add({ event: "step-started", image: "noble-x64", step: "launch the builder" });
      journal.add({ event: "ended", outcome: "done", error: null });
    }
    const events = await readJournal(folder.path);
    expect(events.map(({ event }) => event)).toEqual(["started", "step-started", "ended"]);
    expect(events).toEqual(heard);
    for (const { at } of events) expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(60_000);
  });

  test("is on disk before its listener hears of an event", async () => {
    await using folder = await temporary();
    const counts: Promise<number>[] = [];
    using journal = openJournal(folder.path, () => {
      counts.push(readJournal(folder.path).then((events) => events.length));
    });
    journal.add(leftover("one"));
    expect(await Promise.all(counts)).toEqual([1]);
  });

  test("is empty where there is none yet", async () => {
    await using folder = await temporary();
    expect(await readJournal(folder.path)).toEqual([]);
  });

  test("passes over a last line that was torn, and a writer that comes later starts a new one", async () => {
    await using folder = await temporary();
    {
      using journal = openJournal(folder.path, () => {});
      journal.add(leftover("one"));
    }
    await appendFile(join(folder.path, "journal.jsonl"), '{"event":"leftover","at":"2026-');
    expect(await readJournal(folder.path)).toMatchObject([{ what: "one" }]);
    {
      using journal = openJournal(folder.path, () => {});
      journal.add(leftover("two"));
    }
    expect(await readJournal(folder.path)).toMatchObject([{ what: "one" }, { what: "two" }]);
  });

  test("passes over events of a newer revision and lines that are no events", async () => {
    await using folder = await temporary();
    const known = JSON.stringify({ at: "2026-11-23T19:51:02Z", ...leftover("known"), colour: "red" });
    const lines = ['{"event":"teleported","at":"x"}', "[]", "17", '"ended"', "", known, '{"event":"ended"}'];
    await writeFile(join(folder.path, "journal.jsonl"), lines.join("\n"));
    const events = await readJournal(folder.path);
    expect(events).toEqual([{ at: "2026-11-23T19:51:02Z", ...leftover("known") }]);
  });

  test("holds no secret", async () => {
    await using folder = await temporary();
    registerSecret('journal "secret" 1');
    using journal = openJournal(folder.path, () => {});
    journal.add(leftover('curl -H "journal "secret" 1"'));
    const text = await readFile(join(folder.path, "journal.jsonl"), "utf8");
    expect(text).not.toContain("secret");
    expect(await readJournal(folder.path)).toMatchObject([{ what: 'curl -H "[redacted]"' }]);
  });

  test("keeps every event that a process killed by SIGKILL had added", async () => {
    await using folder = await temporary();
    const module = new URL("../../../src/build/journal.ts", import.meta.url);
    const script = `
      const { openJournal } = await import(${JSON.stringify(fileURLToPath(module))});
      const journal = openJournal(process.argv[1], () => {});
      for (let n = 0; ; n += 1) {
        journal.add({ event: "leftover", what: String(n), error: "in use" });
        process.stdout.write(n + "\\n");
        await new Promise(setImmediate);
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder.path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.split("\n").length > 20) child.kill("SIGKILL");
    });
    await once(child, "close");
    const said = printed.split("\n").slice(0, -1);
    const events = await readJournal(folder.path);
    expect(events.length).toBeGreaterThanOrEqual(said.length);
    expect(events.slice(0, said.length).map((event) => event.event === "leftover" && event.what)).toEqual(
      said,
    );
  });
});
