import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtempDisposable, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOptional } from "../../../../src/base/files.ts";
import { PID_FILE } from "../../../../src/build/history.ts";
import { pathsOf, type Paths } from "../../../../src/build/paths.ts";
import { processIdentity } from "../../../../src/build/process-id.ts";
import { installService, isMachineStopping, removeService } from "../../../../src/build/service/service.ts";
import { startBuild } from "../../../../src/build/start-build.ts";
import { requestWith } from "../../../support/builds.ts";

/** What systemd does with our unit: runs the start file in a session of its own, and tells the main process. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$0.calls"
id=$(echo "$2$6" | sed 's/.*@\\(.*\\).service/\\1/')
case $1 in
start) [ ! -e "$0.broken" ] || { echo "Failed to start: no such unit" >&2; exit 5; }
  setsid /bin/sh "$STARTS/$id" </dev/null >"$0.journal" 2>&1 & echo $! > "$0.pid" ;;
show) cat "$0.pid" ;;
is-system-running) cat "$0.state"; exit 1 ;;
esac
`;

/** A builder that tells what it was given. */
const PROGRAM = `#!/bin/sh
printf '%s\\n' "$@" > told.words; env > told.new; mv told.new told
`;

const { secretsFile: _, ...request } = requestWith();
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

async function machine(): Promise<
  { paths: Paths; tool: string; program: string; path: string } & AsyncDisposable
> {
  const folder = await mkdtempDisposable(join(tmpdir(), "service-"));
  const paths = pathsOf(folder.path, "builder/0");
  await mkdir(paths.systemd, { recursive: true });
  const bin = join(folder.path, "bin");
  await mkdir(bin);
  const tool = join(bin, "systemctl");
  const program = join(bin, "program");
  await writeFile(tool, SYSTEMCTL.replace("$STARTS", paths.starts));
  await writeFile(program, PROGRAM);
  for (const file of [tool, program]) await chmod(file, 0o755);
  return { paths, tool, program, path: `${bin}:/usr/bin:/bin`, [Symbol.asyncDispose]: () => folder.remove() };
}
const callsOf = async (tool: string): Promise<string[]> =>
  (await readFile(`${tool}.calls`, "utf8")).trim().split("\n");

describe("where systemd runs, a build", () => {
  test("is started as a unit, with its environment in a file of root's alone", async () => {
    await using where = await machine();
    const { paths, program, path, tool } = where;
    // as a model's no-proxy may be, whoever set it
    const hostile = `it's "quoted" $(touch pwned) \`touch pwned\` \\ ; touch pwned & | > pwned`;
    const env = { PATH: path, NO_PROXY: hostile };
    const folder = await startBuild(request, null, paths, { command: [program, "a b"], env });
    const unit = `github-runner-image-builder@${request.id}.service`;
    expect(await callsOf(tool)).toEqual([
      "daemon-reload",
      `start ${unit}`,
      `show --property MainPID --value ${unit}`,
    ]);
    expect(await modeOf(join(paths.starts, request.id))).toBe("600");
    expect(await modeOf(paths.starts)).toBe("700");
    await expect.poll(() => readOptional(join(folder, "told"))).toBeTypeOf("string");
    const told = await readFile(join(folder, "told"), "utf8");
    expect(told).toContain(`NO_PROXY=${hostile}\n`);
    expect(await readOptional(join(folder, "pwned"))).toBeUndefined();
    expect(told).not.toContain("VITEST");
    expect((await readFile(join(folder, "told.words"), "utf8")).split("\n").slice(0, -1)).toEqual([
      "a b",
      "run",
      "--request",
      join(folder, "request.json"),
      "--log-format",
      "json",
      "--log-file",
      join(folder, "build.log"),
      "--log-file",
      join(paths.logs, "builder-0.log"),
    ]);
    const pid = Number(await readFile(`${tool}.pid`, "utf8"));
    const identity = (await processIdentity(pid)) ?? `${pid}:ended`;
    expect((await readFile(join(folder, PID_FILE), "utf8")).split(":")[0]).toBe(identity.split(":")[0]);
  });

  test("finds the template again when somebody has deleted or changed it", async () => {
    await using where = await machine();
    const { paths, path, tool } = where;
    await installService(paths, path);
    await installService(paths, path);
    expect(await callsOf(tool)).toEqual(["daemon-reload"]);
    await writeFile(paths.serviceFile, "[Unit]\n");
    await installService(paths, path);
    expect(await callsOf(tool)).toHaveLength(2);
    expect(await readFile(paths.serviceFile, "utf8")).toContain("ExecStart=/bin/sh ");
    expect(await modeOf(paths.serviceFile)).toBe("644");
    expect(await modeOf(paths.logs)).toBe("750");
  });

  test("that cannot be started says what systemd said", async () => {
    await using where = await machine();
    const { paths, program, path, tool } = where;
    await writeFile(`${tool}.broken`, "");
    const started = startBuild(request, null, paths, { command: [program], env: { PATH: path } });
    await expect(started).rejects.toThrow(/^systemctl start .* failed: Failed to start: no such unit$/);
  });

  test("leaves nothing of the service on the machine after the last unit is removed", async () => {
    await using where = await machine();
    const { paths, path, tool } = where;
    await installService(paths, path);
    const other = pathsOf(join(paths.home, "../../.."), "other/0");
    await mkdir(other.state, { recursive: true });
    await removeService(paths, path);
    expect(await readOptional(paths.serviceFile)).toBeTypeOf("string");
    await removeService(other, path);
    for (const file of [paths.serviceFile, paths.logrotateFile])
      expect(await readOptional(file)).toBeUndefined();
    for (const folder of [paths.logs, paths.home, paths.runtimeHome])
      expect(await readdir(join(folder, ".."))).not.toContain(basename(folder));
    // systemd keeps the slice of a template's instances
    const slice = String.raw`system-github\x2drunner\x2dimage\x2dbuilder.slice`;
    expect(await callsOf(tool)).toEqual(["daemon-reload", `stop ${slice}`, "daemon-reload"]);
  });
});

test("a machine is stopping when systemd says so, and never where there is no systemd", async () => {
  await using where = await machine();
  for (const state of ["stopping", "degraded"]) {
    await writeFile(`${where.tool}.state`, `${state}\n`);
    expect(await isMachineStopping(where.path)).toBe(state === "stopping");
  }
  expect(await isMachineStopping(`${where.tool}.nowhere`)).toBe(false);
});

test("this machine's own systemctl is not what the tests run", async () => {
  await using where = await machine();
  const { stdout } = await new Promise<{ stdout: string }>((resolve, reject) => {
    execFile("sh", ["-c", "command -v systemctl"], { env: { PATH: where.path } }, (error, out) =>
      error === null ? resolve({ stdout: out }) : reject(error),
    );
  });
  expect(stdout.trim()).toBe(where.tool);
});
