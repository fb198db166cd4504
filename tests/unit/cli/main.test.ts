import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { formatTicks, nextTick, type Ticks } from "../../../src/build/ticks.ts";
import { formatCloudsYaml } from "../../../src/openstack/index.ts";
import { deadUrl, startHttpServer } from "../../support/http-server.ts";
import { requestWith, writeBuild } from "../../support/builds.ts";

// each test starts programs, which takes its time on a busy machine
vi.setConfig({ testTimeout: 30_000 });

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "cli-"));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a process; `onStderr` sees what it has said so far and may send it a signal. */
async function run(
  parameters: readonly string[],
  onStderr: (text: string, kill: (signal: "SIGTERM" | "SIGINT") => void) => void = () => {},
): Promise<Ended> {
  const env = { PATH: "/usr/bin:/bin", NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };
  const child = spawn(process.execPath, [MAIN, ...parameters], { env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    onStderr(stderr, (signal) => void child.kill(signal));
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** A build's folder with a clouds.yaml beside it, whose clouds are at `authUrl`. */
async function prepared(root: string, authUrl: string): Promise<string> {
  const cloudsFile = join(root, "clouds.yaml");
  const account = {
    authUrl,
    projectName: "p",
    projectDomainName: "Default",
    username: "u",
    userDomainName: "Default",
    password: "cli-main-secret",
    region: null,
    caFile: null,
  };
  await writeFile(
    cloudsFile,
    formatCloudsYaml(
      new Map([
        ["builder", account],
        ["runner", account],
      ]),
    ),
  );
  return join(await writeBuild(join(root, "builds"), requestWith({ cloudsFile })), "request.json");
}

describe("wrong input ends with exit code 2 and says what is wrong", () => {
  test.each([
    ["an unknown option", ["run", "--request", "x", "--wrong"], "error: unknown option '--wrong'"],
    ["an unknown command", ["destroy"], "error: unknown command 'destroy'"],
    ["a missing option", ["run"], "error: required option '--request <file>' not specified"],
    [
      "a log format that there is not",
      ["run", "--request", "x", "--log-format", "xml"],
      "Allowed choices are text, json",
    ],
    ["a missing argument", ["show-build"], "error: missing required argument 'folder'"],
  ])("%s", async (_what, parameters, text) => {
    const { code, stdout, stderr } = await run(parameters);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(stdout).toBe("");
  });

  test("a request that is not there, in one sentence", async () => {
    const { code, stderr } = await run(["run", "--request", "/nonexistent/request.json"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: cannot read \/nonexistent\/request\.json: ENOENT[^\n]*\n$/);
  });

  test("a request with faults, all of them in one sentence", async () => {
    await using root = await folder();
    const path = join(root.path, "request.json");
    await writeFile(path, JSON.stringify({ ...requestWith(), kind: "rebuild", keepRevisions: 0 }));
    const { code, stderr } = await run(["run", "--request", path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(`build request ${path}: kind: `);
    expect(stderr).toContain("keepRevisions: must be at least 2");
  });

  test.each([
    ["missing", null, "cannot read "],
    ["no YAML", "clouds: [\npassword: cli-main-secret", " is not YAML"],
    ["without clouds", "x: 1\n", ' has no mapping "clouds"'],
  ])("a clouds.yaml that is %s, before anything is journalled", async (_what, text, complaint) => {
    await using root = await folder();
    const request = await prepared(root.path, "http://127.0.0.1:1/v3");
    const cloudsFile = join(root.path, text === null ? "other.yaml" : "clouds.yaml");
    if (text !== null) await writeFile(cloudsFile, text);
    await writeFile(request, JSON.stringify(requestWith({ cloudsFile })));
    const { code, stderr } = await run(["run", "--request", request]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(complaint);
    expect(stderr).not.toContain("cli-main-secret");
    await expect(readFile(join(request, "../journal.jsonl"))).rejects.toThrow("ENOENT");
  });

  test("a folder without a build", async () => {
    const { code, stderr } = await run(["show-build", "/nonexistent"]);
    expect([code, stderr]).toEqual([2, "error: there is no build in /nonexistent\n"]);
  });
});

describe("run", () => {
  test("ends with 1 when the build fails, says why, and the journal knows", async () => {
    await using root = await folder();
    const request = await prepared(root.path, await deadUrl());
    const { code, stderr } = await run(["run", "--request", request]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^\d\d:\d\d {2}sign in to the build cloud \.\.\.$/m);
    expect(stderr).toMatch(/^\d\d:\d\d {2}build failed: cannot sign in to the build cloud: [^\n]+$/m);
    expect(stderr).not.toMatch(/^ {4}at |cli-main-secret/m);
    const shown = await run(["show-build", join(request, "..")]);
    expect(shown.stdout).toContain("build 20261123t195102-3f9a: failed (asked for by schedule)\n");
    expect(shown.stdout).toMatch(/^ {2}\+00:00 .* sign in to the build cloud +FAILED after \d+/m);
    expect(shown.stdout).toMatch(/^ {2}next: the cloud did not answer as it should; /m);
  });

  test("writes JSON lines when asked to, and nothing else", async () => {
    await using root = await folder();
    const request = await prepared(root.path, await deadUrl());
    const { code, stderr } = await run(["run", "--request", request, "--log-format", "json"]);
    expect(code).toBe(1);
    const records = stderr
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { level: string });
    expect(records.map(({ level }) => level)).toContain("error");
    expect(stderr).not.toContain("cli-main-secret");
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("cancels at %s, journals it, and ends with %i", async (signal, exitCode) => {
    await using root = await folder();
    // Keystone takes the request and never answers
    await using silent = await startHttpServer({
      "/v3/auth/tokens": () => {},
      "/v3": () => {},
      "/v3/": () => {},
    });
    const request = await prepared(root.path, `${silent.url}/v3`);
    let sent = false;
    const { code, stderr } = await run(["run", "--request", request], (text, kill) => {
      if (sent || !text.includes("sign in to the build cloud ...")) return;
      sent = true;
      kill(signal);
    });
    expect(code).toBe(exitCode);
    expect(stderr).toContain(`build cancelled: cancelled by ${signal}\n`);
    const { stdout } = await run(["show-build", join(request, ".."), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ state: "cancelled" });
  });
});

describe("the journals", () => {
  const at = "2026-11-23T20:00:00.000Z";
  const spec = { base: "noble", arch: "x64" };
  const journal = [
    { event: "started", at, process: "999999999:1:x" },
    { event: "step-started", at, image: "", step: "sign in" },
    { event: "step-ended", at, image: "", step: "sign in", ms: 1200, error: null },
    { event: "step-started", at, image: "noble-x64", step: "upload the image" },
    { event: "step-ended", at, image: "noble-x64", step: "upload the image", ms: 5, error: "HTTP 500" },
    { event: "step-started", at: "2026-11-23T20:00:02.000Z", image: "noble-x64", step: "clean" },
    { event: "artifact", at, spec, cloud: "runner", imageId: "i-1", sizeBytes: 5, hash: "sha512:a" },
    {
      event: "image-failed",
      at,
      image: "noble-x64",
      error: "cannot upload the image: HTTP 500",
      advice: "ask the cloud",
    },
    { event: "ended", at, outcome: "failed", error: "x" },
  ];

  test("show-build tells state, steps, images and errors", async () => {
    await using root = await folder();
    const path = await writeBuild(root.path, requestWith(), journal);
    await writeFile(join(path, "manifest-noble-x64.spdx.json"), "{}");
    const line = { level: "error", time: "2026-11-23T20:00:01.000Z", step: "clean", msg: "step failed" };
    const log = `${JSON.stringify({ ...line, err: { message: "HTTP 500" } })}\nwhat the runtime said\n`;
    await writeFile(join(path, "build.log"), log);
    const { code, stdout, stderr } = await run(["show-build", path]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      [
        "build 20261123t195102-3f9a: failed (asked for by schedule)",
        "  AT      IMAGE      STEP              TOOK              TIME",
        "  +00:00             sign in           1s                ##############",
        "  +00:00  noble-x64  upload the image  FAILED after 5ms  #",
        "  +00:02  noble-x64  clean             cut short                                #",
        "  image noble-x64 in runner: i-1",
        `  manifest ${join(path, "manifest-noble-x64.spdx.json")}`,
        "  error: noble-x64: cannot upload the image: HTTP 500",
        "  next: ask the cloud",
        `  end of ${join(path, "build.log")}:`,
        "    20:00:01 error step failed: HTTP 500 step=clean",
        "    what the runtime said",
        "",
      ].join("\n"),
    );
  });

  test("show-build --json tells the same to programs, without the request", async () => {
    await using root = await folder();
    const path = await writeBuild(root.path, requestWith(), journal);
    const shown = JSON.parse((await run(["show-build", path, "--json"])).stdout) as object;
    expect(shown).toMatchObject({
      id: "20261123t195102-3f9a",
      folder: path,
      state: "failed",
      reason: "schedule",
      startedAt: at,
      endedAt: at,
      artifacts: [{ imageId: "i-1", cloud: "runner", hash: "sha512:a" }],
      targets: null,
    });
    expect(shown).not.toHaveProperty("request");
  });

  test("list-builds tells one line per build, oldest first, or JSON", async () => {
    await using root = await folder();
    await writeBuild(
      root.path,
      requestWith({ createdAt: new Date().toISOString(), id: "20261124t000000-0001", reason: "action" }),
    );
    const images = [
      { base: "noble", arch: "x64" },
      { base: "jammy", arch: "x64" },
    ] as const;
    await writeBuild(root.path, requestWith({ images }), journal);
    const { stdout } = await run(["list-builds", "--builds", root.path]);
    expect(stdout).toBe(
      [
        "BUILD                 STATE   IMAGES               COPIES    TOOK  WHY",
        "20261123t195102-3f9a  failed  noble-x64,jammy-x64  1 copies  0ms   build, schedule",
        "20261124t000000-0001  queued  noble-x64            0 copies        build, action",
        "",
      ].join("\n"),
    );
    const json = JSON.parse((await run(["list-builds", "--builds", root.path, "--json"])).stdout) as unknown;
    expect(json).toMatchObject([{ id: "20261123t195102-3f9a" }, { id: "20261124t000000-0001" }]);
  });

  describe("with a schedule beside the builds", () => {
    /** A state folder with one build, and `schedule.json` with `text`. */
    const stateWith = async (text: string): ReturnType<typeof folder> => {
      const state = await folder();
      await writeBuild(join(state.path, "builds"), requestWith(), journal);
      await writeFile(join(state.path, "schedule.json"), text);
      return state;
    };
    // 29 February, whenever the test runs: in Berlin it begins an hour before it does in UTC
    const leap: Ticks = {
      kind: "cron",
      expression: "0 0 29 2 *",
      minutes: [0],
      hours: [0],
      days: [29],
      months: [2],
      weekdays: [0, 1, 2, 3, 4, 5, 6],
      isEitherDay: false,
      isByClock: false,
      zone: "Europe/Berlin",
    };
    const next = nextTick(leap, new Date(), null)?.toISOString() ?? "";
    const line = `next build: ${next.slice(0, 10)} 23:00 UTC`;

    test("list-builds and show-build tell when the next one is due, in the zone of the schedule", async () => {
      await using state = await stateWith(JSON.stringify(leap));
      expect(next).toMatch(/-02-28T23:00:00\.000Z$/);
      const listed = await run(["list-builds", "--builds", join(state.path, "builds/")]);
      expect(listed.stdout.split("\n").slice(2)).toEqual([line, ""]);
      const path = join(state.path, "builds", requestWith().id);
      expect((await run(["show-build", path])).stdout.split("\n").slice(-2)).toEqual([line, ""]);
      const json = JSON.parse((await run(["show-build", path, "--json"])).stdout) as object;
      expect(json).toMatchObject({ id: requestWith().id, nextBuild: next });
    });

    test("list-builds tells it of an interval, before the first build too", async () => {
      await using state = await folder();
      await mkdir(join(state.path, "builds"));
      const ticks = { kind: "interval", intervalHours: 24, minute: 17, hour: 5 } as const;
      await writeFile(join(state.path, "schedule.json"), formatTicks(ticks));
      const { stdout } = await run(["list-builds", "--builds", join(state.path, "builds")]);
      expect(stdout).toMatch(/^next build: \d{4}-\d\d-\d\d 05:17 UTC\n$/);
    });

    test.each(["", "{", '{"kind":"lunar"}'])(
      "neither says a word of one that it cannot read: %j",
      async (text) => {
        await using state = await stateWith(text);
        const path = join(state.path, "builds", requestWith().id);
        for (const parameters of [
          ["list-builds", "--builds", join(state.path, "builds")],
          ["show-build", path],
        ]) {
          const { code, stdout, stderr } = await run(parameters);
          expect([code, stderr]).toEqual([0, ""]);
          expect(stdout).not.toContain("next build");
        }
        expect(JSON.parse((await run(["show-build", path, "--json"])).stdout)).not.toHaveProperty(
          "nextBuild",
        );
      },
    );
  });

  test("list-builds is empty, and no failure, where there is no folder", async () => {
    expect(await run(["list-builds", "--builds", "/nonexistent"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect((await run(["list-builds", "--builds", "/nonexistent", "--json"])).stdout).toBe("[]\n");
  });
});

test("help is no failure", async () => {
  const { code, stdout } = await run(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: image-builder /);
});
