import { appendFile, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listBuildsKnowing, readEndedBuilds, type EndedBuild } from "../../../src/build/ended-builds.ts";
import { listBuilds } from "../../../src/build/history.ts";
import { requestWith, writeBuild } from "../../support/builds.ts";

const at = "2026-11-23T20:00:00.000Z";
const started = { event: "started", at, process: "999999999:1:no-such-boot" };
const ended = (outcome: string, error: string | null = null): object => ({
  event: "ended",
  at,
  outcome,
  error,
});

const temporary = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "ended-"));
/** What is known when it says something that no journal does. */
const marked = (known: readonly EndedBuild[]): readonly EndedBuild[] =>
  known.map(({ stamp, build }) => ({ stamp, build: { ...build, errors: ["as it was known"] } }));

describe("ended builds", () => {
  test("are those that said how they ended, and may be kept as JSON", async () => {
    await using builds = await temporary();
    for (const [id, journal] of [
      ["b1", [started, ended("done")]],
      ["b2", [started, ended("failed", "snapshot: in error")]],
      ["b3", [started, ended("cancelled")]],
      ["b4-interrupted", [started]],
      ["b5-queued", []],
    ] as const) {
      const createdAt = new Date().toISOString();
      await writeBuild(builds.path, requestWith({ id, createdAt }), journal);
    }
    const known = await readEndedBuilds(builds.path);
    expect(known.map(({ build }) => [build.id, build.state])).toEqual([
      ["b1", "done"],
      ["b2", "failed"],
      ["b3", "cancelled"],
    ]);
    expect(JSON.parse(JSON.stringify(known))).toEqual(known);
    expect(await listBuildsKnowing(known, builds.path)).toEqual(await listBuilds(builds.path));
  });

  test("are not read again", async () => {
    await using builds = await temporary();
    await writeBuild(builds.path, requestWith({ id: "b1" }), [started, ended("done")]);
    const known = marked(await readEndedBuilds(builds.path));
    expect(await listBuildsKnowing(known, builds.path)).toEqual(known.map(({ build }) => build));
  });

  test("are read again when their journal was written, and left out when they are gone", async () => {
    await using builds = await temporary();
    const folder = await writeBuild(builds.path, requestWith({ id: "b1" }), [started, ended("done")]);
    const known = marked(await readEndedBuilds(builds.path));
    await appendFile(join(folder, "journal.jsonl"), `${JSON.stringify(ended("failed", "late"))}\n`);
    expect(await listBuildsKnowing(known, builds.path)).toMatchObject([
      { state: "failed", errors: ["late"] },
    ]);
    await using others = await temporary();
    expect(await listBuildsKnowing(known, others.path)).toEqual([]);
  });

  test("do not hide the builds that came since", async () => {
    await using builds = await temporary();
    await writeBuild(builds.path, requestWith({ id: "b1" }), [started, ended("done")]);
    const known = await readEndedBuilds(builds.path);
    await writeBuild(builds.path, requestWith({ id: "b2" }), [started]);
    expect((await listBuildsKnowing(known, builds.path)).map(({ id, state }) => [id, state])).toEqual([
      ["b1", "done"],
      ["b2", "interrupted"],
    ]);
    await writeFile(join(builds.path, "b1", "request.json"), "");
    expect((await readEndedBuilds(builds.path)).map(({ build }) => build.id)).toEqual([]);
  });
});
