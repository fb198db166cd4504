import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtempDisposable, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { pathsOf } from "../../../src/build/paths.ts";
import { builderProgram, findJujuExec, type CharmEnvironment } from "../../../src/charm/environment.ts";

import { startTlsStub } from "../../support/openstack-tls.ts";

/** Says how a question to the address goes. */
const ASK = `fetch(process.argv[1]).then(() => process.stdout.write("answered"), (error) => process.stdout.write(error.cause.code))`;

describe("builderProgram", () => {
  const environment: CharmEnvironment = { root: "/", builder: ["/n", "/c"], path: "/usr/bin:/bin" };
  const none = { http: null, https: null, ftp: null, no: null };

  test("has an environment made from nothing: no variable of the hook", async () => {
    expect(await builderProgram(environment, pathsOf("/", "builder/0"), none)).toEqual({
      command: ["/n", "/c"],
      env: {
        HOME: "/root",
        LANG: "C.UTF-8",
        PATH: "/usr/bin:/bin",
        MALLOC_ARENA_MAX: "1",
        NODE_COMPILE_CACHE: "/var/cache/github-runner-image-builder",
      },
    });
  });

  test("passes the model's proxies on, in a way that Node heeds", async () => {
    const proxies = { http: "http://p:1", https: "http://p:2", ftp: "http://p:3", no: "10.0.0.0/8" };
    expect((await builderProgram(environment, pathsOf("/", "builder/0"), proxies)).env).toEqual({
      HOME: "/root",
      LANG: "C.UTF-8",
      PATH: "/usr/bin:/bin",
      MALLOC_ARENA_MAX: "1",
      NODE_COMPILE_CACHE: "/var/cache/github-runner-image-builder",
      NODE_USE_ENV_PROXY: "1",
      HTTP_PROXY: "http://p:1",
      HTTPS_PROXY: "http://p:2",
      NO_PROXY: "10.0.0.0/8",
    });
  });

  test("hands proxies with a password over by a file for each process, and names only that", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "environment-"));
    const paths = pathsOf(folder.path, "builder/0");
    const proxies = { http: "http://u:a-pa55word@p:1", https: null, ftp: null, no: "10.0.0.0/8" };
    const program = async () => (await builderProgram(environment, paths, proxies)).env;
    const envs = [await program(), await program()];
    expect(JSON.stringify(envs)).not.toMatch(/pa55word|_PROXY/);
    const files = envs.map((env) => env["IMAGE_BUILDER_PROXIES"] ?? "");
    expect(new Set(files).size).toBe(2);
    for (const file of files) {
      expect(file.startsWith(`${paths.runtime}/proxies-`)).toBe(true);
      expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
        http: "http://u:a-pa55word@p:1",
        https: "",
        noProxy: "10.0.0.0/8",
      });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    expect((await stat(paths.runtime)).mode & 0o777).toBe(0o700);
  });
});

test("a builder trusts the operator's certificates where there are some", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "environment-"));
  const paths = pathsOf(folder.path, "builder/0");
  const environment: CharmEnvironment = { root: folder.path, builder: ["/n"], path: "/usr/bin:/bin" };
  const none = { http: null, https: null, ftp: null, no: null };
  expect((await builderProgram(environment, paths, none)).env).not.toHaveProperty("NODE_EXTRA_CA_CERTS");
  await using served = await startTlsStub();
  await mkdir(paths.state, { recursive: true });
  await copyFile(served.caFile, paths.caFile);
  const { env } = await builderProgram(environment, paths, none);
  const ask = (extra: Readonly<Record<string, string>>): Promise<string> =>
    promisify(execFile)(process.execPath, ["-e", ASK, served.stub.url], { env: extra }).then(
      ({ stdout }) => stdout,
    );
  expect(await ask(env)).toBe("answered");
  const { NODE_EXTRA_CA_CERTS: _, ...usual } = env;
  expect(await ask(usual)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
});

describe("findJujuExec", () => {
  test("prefers juju-exec, takes juju-run where that is all there is, and is null without both", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "environment-"));
    const paths = pathsOf(folder.path, "builder/0");
    expect(await findJujuExec(paths)).toBe(null);
    await mkdir(join(folder.path, "usr/bin"), { recursive: true });
    await writeFile(join(folder.path, "usr/bin/juju-run"), "");
    expect(await findJujuExec(paths)).toBe(join(folder.path, "usr/bin/juju-run"));
    await writeFile(join(folder.path, "usr/bin/juju-exec"), "");
    expect(await findJujuExec(paths)).toBe(join(folder.path, "usr/bin/juju-exec"));
  });
});
