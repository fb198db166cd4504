import { execFile } from "node:child_process";
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { readOptional } from "../../../src/base/files.ts";
import { readBuild } from "../../../src/build/history.ts";
import { pathsOf } from "../../../src/build/paths.ts";
import { handOver } from "../../../src/build/proxy-file.ts";
import { isRunning, processIdentity } from "../../../src/build/process-id.ts";
import { parseRequest } from "../../../src/build/request.ts";
import { dropSecrets, startBuild } from "../../../src/build/start-build.ts";
import { stopBuild } from "../../../src/build/stop-build.ts";
import { requestWith } from "../../support/builds.ts";

/** A builder that tells what it was given, waits for SIGTERM, says so and ends. */
const PROGRAM = `
  const fs = require("node:fs");
  process.on("SIGTERM", () => { fs.writeFileSync("stopped", ""); process.exit(0); });
  const stat = fs.readFileSync("/proc/self/stat", "utf8").split(" ");
  const told = { pid: process.pid, session: Number(stat[5]), argv: process.argv.slice(2), env: process.env, cwd: process.cwd() };
  fs.writeFileSync("told.new", JSON.stringify(told));
  fs.renameSync("told.new", "told");
  console.log("out"); console.error("err");
  setInterval(() => {}, 1000);
`;

interface Told {
  readonly pid: number;
  readonly session: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** A root folder with the program in it; whatever builder still runs ends with it. */
async function machine(): Promise<{ readonly root: string; readonly program: string } & AsyncDisposable> {
  const folder = await mkdtempDisposable(join(tmpdir(), "start-build-"));
  const program = join(folder.path, "program.cjs");
  await writeFile(program, PROGRAM);
  return {
    root: folder.path,
    program,
    async [Symbol.asyncDispose]() {
      const { builds } = pathsOf(folder.path, "builder/0");
      for (const name of await readdir(builds)) {
        const text = await readOptional(join(builds, name, "told"));
        const pid = text === undefined ? null : (JSON.parse(text) as Told).pid;
        if (pid !== null && (await processIdentity(pid)) !== null) process.kill(pid, "SIGKILL");
      }
      await folder.remove();
    },
  };
}

async function told(folder: string): Promise<Told> {
  await expect.poll(() => readOptional(join(folder, "told"))).toBeTypeOf("string");
  return JSON.parse(await readFile(join(folder, "told"), "utf8")) as Told;
}

const { secretsFile: _, ...request } = requestWith();
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe("startBuild", () => {
  test("starts the builder on the written request, which only its owner can read", async () => {
    await using where = await machine();
    const paths = pathsOf(where.root, "builder/0");
    const env = { PATH: "/usr/bin:/bin", HOME: "/root" };
    const folder = await startBuild(request, null, paths, {
      command: [process.execPath, where.program],
      env,
    });
    expect(folder).toBe(join(paths.builds, request.id));
    const file = join(folder, "request.json");
    const child = await told(folder);
    expect(child.argv).toEqual([
      "run",
      "--request",
      file,
      "--log-format",
      "json",
      "--log-file",
      paths.logFile,
    ]);
    expect(child.cwd).toBe(folder);
    // nothing of this process's environment
    expect(child.env).toEqual(env);
    expect(child.session).toBe(child.pid);
    expect(await readFile(join(folder, "pid"), "utf8")).toBe(`${await processIdentity(child.pid)}\n`);
    expect(parseRequest(await readFile(file, "utf8"), file)).toEqual({ ...request, secretsFile: null });
    expect(await modeOf(file)).toBe("600");
    expect(await modeOf(folder)).toBe("700");
    await expect.poll(() => readFile(join(folder, "build.log"), "utf8")).toBe("out\nerr\n");
    expect(await modeOf(join(folder, "build.log"))).toBe("600");
    expect(await readBuild(folder)).toMatchObject({ id: request.id, state: "queued" });
  });

  test("puts the secrets into a file of their own on tmpfs, never into the request", async () => {
    await using where = await machine();
    const paths = pathsOf(where.root, "builder/0");
    const secrets = { script: { TOKEN: "start-build-secret" }, notifyUrl: null };
    const program = { command: [process.execPath, where.program] as const, env: {} };
    const folder = await startBuild(request, secrets, paths, program);
    const text = await readFile(join(folder, "request.json"), "utf8");
    const { secretsFile } = parseRequest(text, "request.json");
    expect(secretsFile).toBe(
      join(where.root, "run/github-runner-image-builder/builder-0", `${request.id}.json`),
    );
    expect(JSON.parse(await readFile(secretsFile ?? "", "utf8"))).toEqual(secrets);
    expect(await modeOf(secretsFile ?? "")).toBe("600");
    expect(await modeOf(paths.runtime)).toBe("700");
    const child = await told(folder);
    for (const place of [text, JSON.stringify(child)]) expect(place).not.toContain("start-build-secret");
  });

  test("starts a process that outlives its parent, holds none of its pipes and no Juju variable", async () => {
    await using where = await machine();
    const module = fileURLToPath(new URL("../../../src/build/start-build.ts", import.meta.url));
    const script = `
      const { startBuild } = await import(${JSON.stringify(module)});
      const { request, paths, program } = JSON.parse(process.argv[1]);
      process.stdout.write(await startBuild(request, null, paths, program));`;
    const program = { command: [process.execPath, where.program], env: { PATH: "/usr/bin:/bin" } };
    const input = JSON.stringify({ request, paths: pathsOf(where.root, "builder/0"), program });
    // execFile waits for the pipes to close: a builder that held them would hang it
    const { stdout: folder } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "-e", script, input],
      { env: { PATH: "/usr/bin:/bin", JUJU_CONTEXT_ID: "builder/0-run-1", JUJU_UNIT_NAME: "builder/0" } },
    );
    const child = await told(folder);
    expect(await isRunning((await processIdentity(child.pid)) ?? "")).toBe(true);
    expect(Object.keys(child.env).filter((name) => name.startsWith("JUJU"))).toEqual([]);
  });

  test("says so when the program is not there", async () => {
    await using where = await machine();
    const program = { command: ["/nonexistent/node"] as const, env: {} };
    await expect(startBuild(request, null, pathsOf(where.root, "builder/0"), program)).rejects.toThrow(
      "cannot run /nonexistent/node",
    );
  });
});

test("secrets of builds that never began are dropped, and nothing that other processes are handed", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "start-build-"));
  const proxies = basename(await handOver({ http: "http://u:p@h", https: "", noProxy: "" }, folder.path));
  const [under, never] = ["20261123t195102417-3f9a.json", "20261123t195102418-3f9a.json"];
  for (const name of [under, never, `${never}.00ff.tmp`]) await writeFile(join(folder.path, name), "{}");
  await dropSecrets(folder.path, new Set(["20261123t195102417-3f9a"]));
  expect((await readdir(folder.path)).toSorted()).toEqual([under, proxies].toSorted());
  await dropSecrets(join(folder.path, "nowhere"), new Set());
});

describe("stopBuild", () => {
  /** A started build whose journal says that it runs. */
  async function runningBuild(where: { readonly root: string; readonly program: string }): Promise<string> {
    const paths = pathsOf(where.root, "builder/0");
    const program = { command: [process.execPath, where.program] as const, env: {} };
    const folder = await startBuild(request, null, paths, program);
    const identity = await processIdentity((await told(folder)).pid);
    const started = { event: "started", at: "2026-11-23T20:00:00Z", process: identity };
    await writeFile(join(folder, "journal.jsonl"), `${JSON.stringify(started)}\n`);
    return folder;
  }

  test("asks the builder to end, and says that it did", async () => {
    await using where = await machine();
    const folder = await runningBuild(where);
    const build = await readBuild(folder);
    if (build === null) throw new Error("there is no build");
    expect(build.state).toBe("running");
    expect(await stopBuild(build)).toBe(true);
    await expect.poll(() => readOptional(join(folder, "stopped"))).toBe("");
    await expect.poll(async () => (await readBuild(folder))?.state).toBe("interrupted");
  });

  test("touches no process for a build that does not run, whatever its number says", async () => {
    await using where = await machine();
    const folder = await runningBuild(where);
    const build = await readBuild(folder);
    if (build === null) throw new Error("there is no build");
    expect(await stopBuild({ ...build, state: "interrupted" })).toBe(false);
    expect(await stopBuild({ ...build, state: "done" })).toBe(false);
    await writeFile(join(folder, "pid"), "1\n");
    expect(await stopBuild(build)).toBe(false);
    expect(await readOptional(join(folder, "stopped"))).toBeUndefined();
  });
});
