/** What goes wrong inside a real guest: the unit says so in one sentence, and nothing is lost or left. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labCloud, labReset, labUp } from "../../lab/lab.ts";
import { LAB_ROOT } from "../../lab/layout.ts";
import { deployCharm, type Deployment } from "../../lab/story/deployment.ts";
import { APPLICATION, PACKAGES } from "../../lab/story/model.ts";
import { serveScript, type ScriptServer } from "../../lab/story/script-server.ts";
import { leftInTheClouds } from "../support/left-in-the-clouds.ts";

const signal = AbortSignal.timeout(1_100_000);
const lab = labCloud("real");
const broken = ["-*", ...PACKAGES, "no-such-package"].join(",");
let script: ScriptServer;
let deployment: Deployment;

beforeAll(async () => {
  await labUp("real", { log: console.log, signal });
  await labReset("real", { log: console.log, signal });
  script = await serveScript("echo about to fail\necho the last line >&2\nexit 3\n");
  deployment = await deployCharm({
    lab,
    directory: join(LAB_ROOT, "failures"),
    config: { "apt-packages": broken },
    signal,
  });
  await deployment.follow(() => {});
  await deployment.relate(["runner-a"]);
});

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
  await script[Symbol.asyncDispose]();
});

test("a section that fails in cloud-init blocks the unit with its name and the reason", async () => {
  const { build } = await deployment.follow(() => {});
  expect(build.state).toBe("failed");
  expect(deployment.status()).toMatch(
    /^blocked build failed: noble-x64: cannot run cloud-init: section packages failed: E: Unable to locate package no-such-package; see .*build\.log$/,
  );
  expect(deployment.databag("runner-a")["id"]).toBeUndefined();
  expect(await leftInTheClouds(lab, ["builder", "runner-a"], signal)).toEqual([]);
});

test("a script that fails blocks the unit with its exit code and last line", async () => {
  await deployment.juju.setConfig(APPLICATION, {
    "apt-packages": "-*,jq",
    "script-url": script.url,
  });
  await deployment.settle();
  const { build } = await deployment.follow(() => {});
  expect(build.state).toBe("failed");
  expect(deployment.status()).toMatch(
    /^blocked build failed: noble-x64: cannot run the script: the command exited with 3: the last line; see .*build\.log$/,
  );
  expect(deployment.databag("runner-a")["id"]).toBeUndefined();
  expect(await leftInTheClouds(lab, ["builder", "runner-a"], signal)).toEqual([]);
});
