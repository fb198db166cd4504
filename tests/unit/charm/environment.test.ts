import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pathsOf } from "../../../src/build/paths.ts";
import { builderProgram, findJujuExec, type CharmEnvironment } from "../../../src/charm/environment.ts";

describe("builderProgram", () => {
  const environment: CharmEnvironment = { root: "/", builder: ["/n", "/c"], path: "/usr/bin:/bin" };
  const none = { http: null, https: null, ftp: null, no: null };

  test("has an environment made from nothing: no variable of the hook", () => {
    expect(builderProgram(environment, pathsOf("/", "builder/0"), none)).toEqual({
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

  test("passes the model's proxies on, in a way that Node heeds", () => {
    const proxies = { http: "http://p:1", https: "http://p:2", ftp: "http://p:3", no: "10.0.0.0/8" };
    expect(builderProgram(environment, pathsOf("/", "builder/0"), proxies).env).toEqual({
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
