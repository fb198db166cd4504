import { mkdir, mkdtempDisposable, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listBuilds, type Build } from "../../../../src/build/history.ts";
import { openJournal, type NewJournalEvent } from "../../../../src/build/journal.ts";
import { EMPTY, keepLedger, type Ledger } from "../../../../src/build/metrics/ledger.ts";
import { FOUND } from "../../../../src/build/releases.ts";
import type { BuildRequest } from "../../../../src/build/types.ts";
import { requestWith } from "../../../support/builds.ts";

interface Site extends AsyncDisposable {
  /** Writes down a build with these events; it ends as the last of them says, or is interrupted. */
  readonly build: (
    id: string,
    events: readonly NewJournalEvent[],
    request?: Partial<BuildRequest>,
  ) => Promise<void>;
  readonly forget: (id: string) => Promise<void>;
  readonly keep: () => Promise<Ledger>;
  readonly file: string;
  readonly builds: () => Promise<readonly Build[]>;
}

async function site(): Promise<Site> {
  const folder = await mkdtempDisposable(join(tmpdir(), "ledger-"));
  const file = join(folder.path, "ledger.json");
  const all = join(folder.path, "builds");
  const builds = async (): Promise<readonly Build[]> => await listBuilds(all);
  return {
    file,
    builds,
    async build(id, events, request = {}) {
      await mkdir(join(all, id), { recursive: true });
      await writeFile(join(all, id, "request.json"), JSON.stringify(requestWith({ id, ...request })));
      using journal = openJournal(join(all, id), () => {});
      journal.add({ event: "started", process: "1:gone" });
      for (const event of events) journal.add(event);
    },
    forget: async (id) => await rm(join(all, id), { recursive: true }),
    keep: async () => (await keepLedger(file, await builds())).ledger,
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

const DONE: NewJournalEvent = { event: "ended", outcome: "done", error: null };
const FAILED: NewJournalEvent = { event: "ended", outcome: "failed", error: "no" };

describe("the ledger", () => {
  test("counts each build once, and goes on counting when builds are forgotten", async () => {
    await using where = await site();
    await where.build("b1", [FAILED]);
    await where.build("b2", []);
    expect((await where.keep()).builds).toEqual({ "build failed": 1, "build interrupted": 1 });
    expect((await where.keep()).failuresInARow).toBe(2);
    await where.forget("b1");
    await where.build("b3", [DONE]);
    const ledger = await where.keep();
    expect(ledger.builds).toEqual({ "build failed": 1, "build interrupted": 1, "build done": 1 });
    expect(ledger.counted).toEqual(["b2", "b3"]);
    expect(ledger.failuresInARow).toBe(0);
    expect(Date.parse(ledger.lastSuccess ?? "")).toBeGreaterThanOrEqual(Date.parse(ledger.lastFailure ?? ""));
  });

  test("leaves what it cannot judge yet: a build that runs or waits", async () => {
    await using where = await site();
    await where.build("b1", []);
    const waiting = (await where.builds()).map((build) => ({ ...build, state: "waiting" as const }));
    expect(await keepLedger(where.file, waiting)).toEqual({ ledger: EMPTY, ended: [] });
  });

  test("does not take a copy for a build, unless it finishes one", async () => {
    await using where = await site();
    await where.build("b1", [FAILED]);
    await where.build("b2", [DONE], { kind: "copy", reason: "relation" });
    const copied = await where.keep();
    expect([copied.lastSuccess, copied.failuresInARow]).toEqual([null, 1]);
    await where.build("b3", [DONE], { kind: "copy", reason: "retry" });
    const resumed = await where.keep();
    expect([resumed.lastSuccess === null, resumed.failuresInARow]).toEqual([false, 0]);
  });

  test("does not take an image that is adopted for one that was uploaded", async () => {
    await using where = await site();
    const artifact = { cloud: "a", imageId: "i1", sizeBytes: 1, hash: "sha512:00" };
    const spec = { base: "noble", arch: "x64" } as const;
    await where.build("b1", [{ event: "artifact", spec, ...artifact }, DONE], { kind: "adopt" });
    expect((await where.keep()).uploads).toEqual({});
    await where.build("b2", [{ event: "artifact", spec, ...artifact }, DONE]);
    expect(Object.keys((await where.keep()).uploads)).toEqual(["a"]);
  });

  test("does not call a build that somebody cancelled a failure", async () => {
    await using where = await site();
    await where.build("b1", [FAILED]);
    await where.build("b2", [{ event: "ended", outcome: "cancelled", error: "cancelled by SIGTERM" }]);
    expect(await where.keep()).toMatchObject({ failuresInARow: 1, last: { outcome: "cancelled" } });
  });

  test("takes phases, uploads, looks, versions and what was reaped from the journal", async () => {
    await using where = await site();
    const step = { image: "noble-x64", step: "run cloud-init" };
    const artifact = { sizeBytes: 1, hash: "sha512:00", spec: { base: "noble", arch: "x64" } } as const;
    await where.build("b1", [
      { event: "reaped", cloud: "builder", kind: "server", name: "s1" },
      { event: "reaped", cloud: "builder", kind: "server", name: "s2" },
      { event: "looked", found: ["i1"], missing: ["i2"] },
      { event: "found", image: "", what: FOUND.runner, value: "2.330.0" },
      { event: "found", image: "", what: FOUND.newestRunner, value: "2.331.0" },
      { event: "found", image: "noble-x64", what: FOUND.serial, value: "20261120" },
      { event: "step-started", ...step },
      { event: "step-ended", ...step, ms: 1000, error: null },
      { event: "step-started", ...step },
      { event: "step-ended", ...step, ms: 500, error: "no" },
      { event: "artifact", cloud: "good", imageId: "i3", ...artifact },
      { event: "upload-failed", image: "noble-x64", cloud: "bad", error: "full" },
      { event: "leftover", what: "server s3", error: "no" },
      FAILED,
    ]);
    const ledger = await where.keep();
    expect(ledger).toMatchObject({
      reaped: { server: 2 },
      look: { found: ["i1"], missing: ["i2"] },
      revisions: { b1: { runner: "2.330.0", serials: { "noble-x64": "20261120" } } },
      last: {
        outcome: "failed",
        phases: [{ image: "noble-x64", phase: "run cloud-init", ms: 1500 }],
        leftovers: 1,
      },
    });
    expect(Object.keys(ledger.runners)).toEqual(["2.330.0", "2.331.0"]);
    expect(ledger.uploads["good"]).toMatchObject({ failure: null });
    expect(ledger.uploads["bad"]).toMatchObject({ success: null });
    const first = ledger.runners["2.331.0"];
    await where.build("b2", [{ event: "found", image: "", what: FOUND.runner, value: "2.331.0" }, DONE]);
    expect((await where.keep()).runners["2.331.0"]).toBe(first);
  });

  test("is bounded, however many builds there were", async () => {
    await using where = await site();
    const old = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [
        `a${String(index).padStart(3, "0")}`,
        { runner: "1.0.0", serials: {} },
      ]),
    );
    await writeFile(where.file, JSON.stringify({ ...EMPTY, revisions: old }));
    await where.build("b1", [{ event: "found", image: "", what: FOUND.runner, value: "2.330.0" }, DONE]);
    const { revisions } = await where.keep();
    expect(Object.keys(revisions)).toHaveLength(100);
    expect(Object.keys(revisions).at(-1)).toBe("b1");
  });

  test.each(["", "{", '{"format":2}', "null"])("begins anew when its file holds %j", async (text) => {
    await using where = await site();
    await writeFile(where.file, text);
    await where.build("b1", [DONE]);
    expect((await where.keep()).builds).toEqual({ "build done": 1 });
    expect(JSON.parse(await readFile(where.file, "utf8"))).toMatchObject({ format: 1, counted: ["b1"] });
  });
});
