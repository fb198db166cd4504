import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  currentSteps,
  forgetOldBuilds,
  listBuilds,
  newestArtifacts,
  readBuild,
  type Build,
} from "../../../src/build/history.ts";
import { processIdentity } from "../../../src/build/process-id.ts";
import { artifactWith, buildWith, requestWith, writeBuild } from "../../support/builds.ts";

const temporary = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "history-"));
const at = "2026-11-23T20:00:00.000Z";
const image = "noble-x64";
const DEAD = "999999999:1:no-such-boot";

/** The build of a journal with these lines. */
async function read(journal: readonly (object | string)[]): Promise<Build> {
  await using folder = await temporary();
  const build = await readBuild(await writeBuild(folder.path, requestWith(), journal));
  if (build === null) throw new Error("there is no build");
  return build;
}

describe("the state of a build", () => {
  test("is queued from its request to its process's first word", async () => {
    await using builds = await temporary();
    const folder = await writeBuild(builds.path, { ...requestWith(), createdAt: new Date().toISOString() });
    expect((await readBuild(folder))?.state).toBe("queued");
  });

  test("is interrupted when a minute after its request nothing was started", async () => {
    await using builds = await temporary();
    const createdAt = new Date(Date.now() - 61_000).toISOString();
    const folder = await writeBuild(builds.path, { ...requestWith(), createdAt });
    expect((await readBuild(folder))?.state).toBe("interrupted");
  });

  test("is queued while the process that was started has said nothing yet", async () => {
    await using builds = await temporary();
    const folder = await writeBuild(builds.path, requestWith());
    await writeFile(join(folder, "pid"), `${await processIdentity(process.pid)}\n`);
    expect(await readBuild(folder)).toMatchObject({ state: "queued", startedAt: null });
  });

  test("is interrupted when the process ended without a word", async () => {
    await using builds = await temporary();
    const folder = await writeBuild(builds.path, requestWith());
    await writeFile(join(folder, "pid"), "999999999:ended\n");
    expect(await readBuild(folder)).toMatchObject({ state: "interrupted" });
  });

  test("is running while its process lives", async () => {
    const started = { event: "started", at, process: await processIdentity(process.pid) };
    expect(await read([started])).toMatchObject({ state: "running", startedAt: at, endedAt: null });
  });

  test("is interrupted when another process has its number now", async () => {
    const identity = (await processIdentity(process.pid)) ?? "";
    const older = identity.replace(/:(\d+):/, (_match, ticks: string) => `:${Number(ticks) - 1}:`);
    expect((await read([{ event: "started", at, process: older }])).state).toBe("interrupted");
  });

  test("is interrupted after a SIGKILL of a real builder process", async () => {
    await using builds = await temporary();
    const folder = await writeBuild(builds.path, requestWith());
    const source = (name: string): string =>
      JSON.stringify(fileURLToPath(new URL(`../../../src/build/${name}.ts`, import.meta.url)));
    const script = `
      const { openJournal } = await import(${source("journal")});
      const { processIdentity } = await import(${source("process-id")});
      const journal = openJournal(process.argv[1], () => {});
      journal.add({ event: "started", process: await processIdentity(process.pid) });
      journal.add({ event: "step-started", image: "noble-x64", step: "run cloud-init" });
      console.log("here");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    expect(await readBuild(folder)).toMatchObject({ state: "running" });
    child.kill("SIGKILL");
    await once(child, "exit");
    const build = await readBuild(folder);
    expect(build).toMatchObject({ state: "interrupted", endedAt: null });
    expect(build?.steps).toMatchObject([{ step: "run cloud-init", ms: null }]);
  });

  test.each(["done", "failed", "cancelled", "interrupted"] as const)(
    "is %s when the build said so",
    async (outcome) => {
      const build = await read([
        { event: "started", at, process: DEAD },
        { event: "ended", at: "2026-11-23T21:00:00.000Z", outcome, error: null },
      ]);
      expect(build).toMatchObject({ state: outcome, startedAt: at, endedAt: "2026-11-23T21:00:00.000Z" });
    },
  );
});

test("a build that went down with its machine has deleted its snapshots", async () => {
  const snapshot = {
    event: "created",
    at,
    image: "noble-x64",
    kind: "snapshot",
    id: "s",
    name: "n",
  } as const;
  expect((await read([{ event: "started", at, process: DEAD }, snapshot])).snapshots).toHaveLength(1);
  const ended = { event: "ended", at, outcome: "interrupted", error: null } as const;
  expect((await read([{ event: "started", at, process: DEAD }, snapshot, ended])).snapshots).toEqual([]);
});

describe("what a journal tells", () => {
  const step = "upload the image";

  test("steps: running, ended, failed, with progress", async () => {
    const build = await read([
      { event: "step-started", at, image: "", step: "sign in" },
      { event: "step-ended", at, image: "", step: "sign in", ms: 812, error: null },
      { event: "step-started", at, image, step: "launch the builder" },
      { event: "step-ended", at, image, step: "launch the builder", ms: 5, error: "no valid host" },
      { event: "step-started", at, image, step },
      { event: "progress", at, image, step, done: 5, total: 10 },
      { event: "progress", at, image, step, done: 7, total: 10 },
    ]);
    expect(build.steps).toEqual([
      { image: "", step: "sign in", startedAt: at, ms: 812, error: null, progress: null },
      { image, step: "launch the builder", startedAt: at, ms: 5, error: "no valid host", progress: null },
      { image, step, startedAt: at, ms: null, error: null, progress: { done: 7, total: 10 } },
    ]);
    expect(currentSteps(build).map((each) => each.step)).toEqual([step]);
  });

  test("equally named steps of two images are told apart, and the second round of one from the first", async () => {
    const build = await read([
      { event: "step-started", at, image, step },
      { event: "step-started", at, image: "jammy-x64", step },
      { event: "step-ended", at, image, step, ms: 1, error: "broke" },
      { event: "step-started", at, image, step },
      { event: "step-ended", at, image, step, ms: 2, error: null },
    ]);
    expect(build.steps.map(({ image: of, ms }) => [of, ms])).toEqual([
      [image, 1],
      ["jammy-x64", null],
      [image, 2],
    ]);
  });

  test("artifacts belong to their build", async () => {
    const spec = { base: "noble", arch: "x64" };
    const artifact = { spec, cloud: "runner", imageId: "i1", sizeBytes: 10, hash: "sha512:a" };
    const build = await read([{ event: "artifact", at, ...artifact }]);
    expect(build.artifacts).toEqual([{ ...artifact, buildId: build.id, createdAt: at }]);
    const made = "2026-11-01T00:00:00.000Z";
    const adoption = await read([{ event: "artifact", at, ...artifact, build: "older", made }]);
    expect(adoption.artifacts).toEqual([{ ...artifact, buildId: "older", createdAt: made }]);
  });

  test("targets: unknown before the upload, then all clouds of all images, none being an answer too", async () => {
    expect((await read([])).targets).toBe(null);
    expect((await read([{ event: "targets", at, image, clouds: [] }])).targets).toEqual([]);
    const build = await read([
      { event: "targets", at, image, clouds: ["a", "b"] },
      { event: "targets", at, image: "jammy-x64", clouds: ["b", "c"] },
    ]);
    expect(build.targets).toEqual(["a", "b", "c"]);
  });

  test("errors: a sentence per image, the build's own only when no image tells it", async () => {
    const ended = { event: "ended", at, outcome: "failed", error: "cannot sign in" };
    expect((await read([ended])).errors).toEqual(["cannot sign in"]);
    const failed = { event: "image-failed", at, image, error: "cannot launch the builder" };
    expect((await read([failed, ended])).errors).toEqual(["noble-x64: cannot launch the builder"]);
  });

  test("unknown events are skipped and a torn last line changes nothing", async () => {
    const build = await read([
      { event: "started", at, process: DEAD },
      { event: "teleported", at },
      { event: "ended", at, outcome: "done", error: null },
      '{"event":"ended","outcome":"fai',
    ]);
    expect(build).toMatchObject({ state: "done", errors: [] });
  });
});

describe("listBuilds", () => {
  test("gives builds oldest first and skips folders without a readable request", async () => {
    await using builds = await temporary();
    for (const id of ["20261124t000000-0000", "20261123t000000-ffff", "20261125t000000-1111"]) {
      await writeBuild(builds.path, requestWith({ id }));
    }
    await mkdir(join(builds.path, "empty"));
    await mkdir(join(builds.path, "broken"));
    await writeFile(join(builds.path, "broken/request.json"), "{");
    await writeFile(join(builds.path, "notes.txt"), "a person's");
    expect((await listBuilds(builds.path)).map(({ id }) => id)).toEqual([
      "20261123t000000-ffff",
      "20261124t000000-0000",
      "20261125t000000-1111",
    ]);
  });

  test("gives none where there is no folder", async () => {
    expect(await listBuilds("/nonexistent/builds")).toEqual([]);
  });
});

describe("newestArtifacts", () => {
  test("gives the last one per cloud and image", () => {
    const jammy = { base: "jammy", arch: "x64" } as const;
    const builds = [
      buildWith({ artifacts: [artifactWith({ imageId: "1" }), artifactWith({ spec: jammy, imageId: "2" })] }),
      buildWith({ artifacts: [artifactWith({ imageId: "3" }), artifactWith({ cloud: "b", imageId: "4" })] }),
      buildWith({ state: "failed" }),
    ];
    const newest = [...newestArtifacts(builds)].map(([key, { imageId }]) => [key, imageId]);
    expect(Object.fromEntries(newest)).toEqual({
      "runner/noble-x64": "3",
      "runner/jammy-x64": "2",
      "b/noble-x64": "4",
    });
  });
});

describe("forgetOldBuilds", () => {
  /** Builds 0 to `count` - 1, as folders; `change` may alter one. */
  async function prepared(
    folder: string,
    count: number,
    change: (index: number) => Parameters<typeof buildWith>[0],
  ): Promise<Build[]> {
    const builds: Build[] = [];
    for (let index = 0; index < count; index += 1) {
      const id = `build-${String(index).padStart(3, "0")}`;
      const path = await writeBuild(folder, requestWith({ id }));
      builds.push(buildWith({ id, folder: path, request: { id }, ...change(index) }));
    }
    return builds;
  }

  test("removes all but the newest twenty, and gives those that stay", async () => {
    await using folder = await temporary();
    const stay = await forgetOldBuilds(await prepared(folder.path, 23, () => ({ state: "failed" })));
    const left = (await readdir(folder.path)).toSorted();
    expect(left).toHaveLength(20);
    expect(left[0]).toBe("build-003");
    expect(stay.map(({ id }) => id)).toEqual(left);
  });

  test("keeps an old build that runs or waits, and the one whose image is still the newest of a cloud", async () => {
    await using folder = await temporary();
    const buildId = (index: number): string => `build-${String(index).padStart(3, "0")}`;
    const builds = await prepared(folder.path, 30, (index) => {
      if (index === 0) return { artifacts: [artifactWith({ buildId: buildId(0), cloud: "once" })] };
      if (index === 1) return { state: "running" };
      if (index === 2) return { state: "queued" };
      if (index === 3) return { artifacts: [artifactWith({ buildId: buildId(3), cloud: "often" })] };
      if (index === 29) return { artifacts: [artifactWith({ buildId: buildId(29), cloud: "often" })] };
      return {};
    });
    await forgetOldBuilds(builds);
    const left = (await readdir(folder.path)).toSorted();
    expect(left.slice(0, 4)).toEqual(["build-000", "build-001", "build-002", "build-010"]);
    expect(left).toHaveLength(23);
  });

  test("touches nothing while there are few", async () => {
    await using folder = await temporary();
    await forgetOldBuilds(await prepared(folder.path, 20, () => ({})));
    expect(await readdir(folder.path)).toHaveLength(20);
  });
});
