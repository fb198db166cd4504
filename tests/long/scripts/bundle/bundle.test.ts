import { execFile } from "node:child_process";
import { cp, mkdir, mkdtempDisposable, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleProgram, type BundledFile } from "../../../../scripts/bundle/bundle.ts";
import { stageCharm } from "../../../../scripts/bundle/stage.ts";
import { readBuild } from "../../../../src/build/history.ts";
import { generateKeyPair } from "../../../../src/ssh/keys.ts";
import { requestWith } from "../../../support/builds.ts";
import { deployBuilder } from "../../../support/charm.ts";
import { startSshServer } from "../../../support/ssh-server.ts";

const PROBE = fileURLToPath(new URL("../../../support/bundle-probe.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** All tests share one packed charm, which lies outside the repository. */
describe("the bundle", () => {
  let temporary: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let packed: string;
  let node: string;
  let files: readonly BundledFile[];

  beforeAll(async () => {
    temporary = await mkdtempDisposable(join(tmpdir(), "bundle-"));
    packed = join(temporary.path, "charm");
    node = await realpath(process.execPath);
    files = await stageCharm(packed, node);
  }, 60_000);
  afterAll(async () => await temporary.remove());

  const run = async (parameters: readonly string[]): Promise<Ended> => {
    try {
      const env = { PATH: "/usr/bin:/bin" };
      const { stdout, stderr } = await promisify(execFile)(node, parameters, { cwd: temporary.path, env });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as Ended;
      return { code, stdout, stderr };
    }
  };
  const cli = async (...parameters: readonly string[]): Promise<Ended> =>
    await run([join(packed, "dist/cli/main.mjs"), ...parameters]);

  it("is all that a packed charm holds beside its declarations and Node", async () => {
    expect((await readdir(packed)).toSorted()).toEqual([
      "actions.yaml",
      "config.yaml",
      "dispatch",
      "dist",
      "metadata.yaml",
      "node",
    ]);
  });

  it("keeps what only a build needs out of the charm, and out of what the command line loads at once", () => {
    const packagesOf = (name: string): readonly string[] =>
      files.find(({ file }) => file === name)?.packages ?? ["no such file"];
    expect(files.filter(({ file }) => file.startsWith("charm/")).map(({ file }) => file)).toEqual([
      "charm/main.mjs",
      "charm/full-dispatch.mjs",
      "charm/cron-expression.mjs",
      "charm/read-clouds.mjs",
      "charm/observe.mjs",
    ]);
    expect(packagesOf("charm/cron-expression.mjs")).toContain("node-cron");
    expect(packagesOf("charm/read-clouds.mjs")).toContain("js-yaml");
    expect(packagesOf("charm/full-dispatch.mjs")).not.toContain("js-yaml");
    // all that an idle look loads
    expect(packagesOf("charm/main.mjs")).toEqual(["valibot"]);
    expect(files.find(({ file }) => file === "charm/main.mjs")?.bytes).toBeLessThan(50_000);
    expect(files.flatMap(({ packages }) => packages)).toEqual(expect.arrayContaining(["pkgcloud", "ssh2"]));
    for (const heavy of ["pkgcloud", "@cypress/request", "request", "ssh2", "node-cron"]) {
      expect(packagesOf("charm/full-dispatch.mjs")).not.toContain(heavy);
      expect(packagesOf("cli/main.mjs")).not.toContain(heavy);
    }
  });

  it("runs the charm's hooks, and starts the bundled builder", async () => {
    await using charm = await deployBuilder({ charm: packed });
    await charm.updateStatus();
    expect(charm.failures()).toEqual([]);
    expect(charm.status()).toMatch(/^blocked relation image is missing: /);
    const pid = await readFile(join((await charm.builds()).at(-1)?.folder ?? "", "pid"), "utf8");
    const command = (await readFile(`/proc/${Number.parseInt(pid, 10)}/cmdline`, "utf8")).split("\0");
    expect(command).toContain(join(packed, "dist/cli/main.mjs"));
    expect(command[0]).toBe(node);
    expect(await readFile(charm.paths.metricsFile, "utf8")).toMatch(/^github_runner_image_builder_info\{/m);
    const endpoints = { "cos-agent": { interface: "cos_agent", role: "requires" } } as const;
    charm.juju.addScriptedApplication("agent", { endpoints, units: 1 });
    const relation = await charm.juju.relate("image-builder:cos-agent", "agent:cos-agent");
    await charm.settle();
    expect(charm.juju.unitData(relation, "image-builder/0")["config"]).toContain("ImageBuilderNoGoodBuild");
    await charm.configure({ "build-interval": 0 });
    expect(charm.status()).toBe("blocked build-interval: set it to a whole number from 1 to 24");
    expect(charm.log().filter((line) => line.includes("wrong configuration"))).toHaveLength(1);
    await charm.configure({ "build-interval": 6, schedule: "0 25 * * *" });
    expect(charm.status()).toBe('blocked schedule: "25" is no hour that cron understands');
    await charm.configure({ schedule: "0 5 * * *" });
    expect(await readFile(charm.paths.cronFile, "utf8")).toContain("\n0 5 * * * root flock ");
  }, 60_000);

  it("prints the command line's help", async () => {
    const { code, stdout, stderr } = await cli("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: image-builder .*\n[^]*\brun\b[^]*list-builds[^]*show-build/);
  });

  it("refuses a bad request with one sentence per problem", async () => {
    const request = join(temporary.path, "request.json");
    await writeFile(request, JSON.stringify({ ...requestWith(), images: [], keepRevisions: 1 }));
    expect(await cli("run", "--request", request)).toEqual({
      code: 2,
      stdout: "",
      stderr:
        `error: build request ${request}: images: needs at least one image; ` +
        `build request ${request}: keepRevisions: must be at least 2\n`,
    });
  });

  it("loads pkgcloud for a build, and says that the cloud cannot be reached", async () => {
    const folder = join(temporary.path, "builds/b1");
    await mkdir(folder, { recursive: true });
    const cloudsFile = join(temporary.path, "clouds.yaml");
    const auth = {
      auth_url: "http://127.0.0.1:1/v3",
      project_name: "build",
      username: "builder",
      password: "none-needed",
    };
    await writeFile(cloudsFile, JSON.stringify({ clouds: { builder: { auth } } }));
    const request = join(folder, "request.json");
    await writeFile(request, JSON.stringify(requestWith({ cloudsFile })));
    const { code, stderr } = await cli("run", "--request", request);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("build failed") as string });
    const build = await readBuild(folder);
    expect(build?.errors.join()).toMatch(
      /sign in to the build cloud: .*127\.0\.0\.1:1\b.*(ECONNREFUSED|refused)/,
    );
  }, 60_000);

  it("gives the source's user-data and guest scripts, and speaks SSH", async () => {
    const keys = await generateKeyPair("test");
    await using server = await startSshServer({
      authorizedKey: keys.publicKey,
      onCommand: (command) => ({ stdout: [`${command} there`], exitCode: 0 }),
    });
    const keyFile = join(temporary.path, "key");
    await writeFile(keyFile, keys.privateKey, { mode: 0o600 });
    const probe = join(temporary.path, "probe");
    await cp(join(packed, "dist"), probe, { recursive: true });
    await bundleProgram({ name: "probe", entry: PROBE, isHook: false, apart: [] }, probe);
    const parameters = [String(server.port), keyFile];
    const source = await run([PROBE, ...parameters]);
    expect(source).toEqual({ code: 0, stderr: "", stdout: expect.stringContaining("hello there") as string });
    expect(await run([join(probe, "probe/main.mjs"), ...parameters])).toEqual(source);
  }, 60_000);
});
