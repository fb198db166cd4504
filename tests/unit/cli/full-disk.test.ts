import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, open, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readJournal } from "../../../src/build/journal.ts";
import { formatCloudsYaml } from "../../../src/openstack/index.ts";
import { requestWith, writeBuild } from "../../support/builds.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

test("a builder whose log finds no room goes on to the end of its build", { timeout: 30_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "cli-"));
  await using logs = await mkdtempDisposable(join(tmpdir(), "cli-"));
  await using disk = await mountSmallDisk(logs.path, 64 * 1024);
  const cloudsFile = join(folder.path, "clouds.yaml");
  const account = {
    authUrl: "http://127.0.0.1:9/v3",
    projectName: "p",
    projectDomainName: "Default",
    username: "u",
    userDomainName: "Default",
    password: "cli-full-secret",
    region: null,
    caFile: null,
  };
  await writeFile(cloudsFile, formatCloudsYaml(new Map([["builder", account]])));
  const build = await writeBuild(folder.path, requestWith({ cloudsFile, buildCloud: "builder" }));
  const log = join(logs.path, "build.log");
  await using file = await open(log, "a");
  disk.fill();
  const words = ["run", "--request", join(build, "request.json"), "--log-format", "json"];
  // told of at once, on standard error
  const more = ["--log-file", join(log, "no-folder.log")];
  const child = spawn(process.execPath, [MAIN, ...words, ...more], { stdio: ["ignore", "ignore", file.fd] });
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(1);
  expect((await stat(log)).size).toBe(0);
  expect((await readJournal(build)).at(-1)).toMatchObject({
    event: "ended",
    outcome: "failed",
    error: expect.stringContaining("cannot sign in to cloud builder: cannot reach 127.0.0.1:9") as string,
  });
});
