/**
 * Wrong input through the whole charm onto the real control plane: each leaves one sentence as the unit's
 * status, untouched databags and nothing in the clouds.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labCloud, labReset } from "../../../lab/lab.ts";
import { LAB_ROOT } from "../../../lab/layout.ts";
import { deployCharm, type Deployment } from "../../../lab/story/deployment.ts";
import { APPLICATION } from "../../../lab/story/model.ts";
import { leftInTheClouds } from "../../support/left-in-the-clouds.ts";

const signal = AbortSignal.timeout(600_000);
const lab = labCloud("fake");
const SEE = "; see \\S+/build\\.log$";
let mirror: Server;
let deployment: Deployment;

beforeAll(async () => {
  await labReset("fake", { log: () => {}, signal });
  mirror = createServer((request, reply) => {
    const sums = `${createHash("sha256").update("what was meant").digest("hex")} *noble-server-cloudimg-amd64.img\n`;
    if (request.url === "/noble/current/SHA256SUMS") reply.end(sums);
    else if (request.url?.endsWith(".img") === true) reply.end("what came");
    else reply.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(mirror, "listening");
  deployment = await deployCharm({
    lab,
    directory: join(LAB_ROOT, "bad-input"),
    config: { "build-flavor": "lab.tiny" },
    signal,
  });
  await deployment.follow(() => {});
  await deployment.relate(["runner-a", "runner-b"]);
  await deployment.follow(() => {});
});

afterAll(async () => {
  mirror.close();
  await deployment[Symbol.asyncDispose]();
});

const mirrorUrl = (): string => `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;

/** Changes options and follows the build that this starts; gives the status when nothing came of the build. */
async function statusAfter(config: Readonly<Record<string, string>>): Promise<string> {
  await deployment.juju.setConfig(APPLICATION, config);
  await deployment.settle();
  await deployment.follow(() => {});
  return await statusWithNothingLeft();
}

async function statusWithNothingLeft(): Promise<string> {
  for (const requirer of ["runner-a", "runner-b"] as const) {
    expect(Object.keys(deployment.databag(requirer))).not.toContain("id");
  }
  expect(await leftInTheClouds(lab, ["builder", "runner-a", "runner-b"], signal)).toEqual([]);
  return deployment.status();
}

test("a flavor that is too small is named with what a build needs", async () => {
  expect(await statusWithNothingLeft()).toMatch(
    new RegExp(
      `^blocked build failed: cannot choose flavor and network: build-flavor: "lab.tiny" is too small; a build needs 2 vCPUs, 1024 MB of memory and 10 GB of disk${SEE}`,
    ),
  );
});

test("an unknown network is named with those there are", async () => {
  expect(await statusAfter({ "build-flavor": "", "build-network": "no-such-net" })).toMatch(
    new RegExp(
      `^blocked build failed: cannot choose flavor and network: build-network: the build project has no network "no-such-net"; it has lab-net${SEE}`,
    ),
  );
});

test("a release that the mirror does not have is named with the address", async () => {
  expect(await statusAfter({ "build-network": "", "base-image": "focal" })).toMatch(
    new RegExp(
      `^blocked build failed: focal-x64: cannot prepare the base image: base-image-mirror: http://\\S+/focal/current/SHA256SUMS answers HTTP 404${SEE}`,
    ),
  );
});

test("a base image with another checksum than the mirror says is refused", async () => {
  expect(await statusAfter({ "base-image": "noble", "base-image-mirror": mirrorUrl() })).toMatch(
    /^blocked build failed: noble-x64: cannot prepare the base image: base-image-mirror: the checksum of http:\/\/\S+\.img does not match.*; see \S+\/build\.log$/,
  );
});

test("an unknown project is named", async () => {
  expect(
    await statusAfter({ "base-image-mirror": lab.mirrorUrl, "openstack-project-name": "no-such-project" }),
  ).toMatch(
    /^blocked build failed: cannot sign in to the build cloud: .*no-such-project.*; see \S+\/build\.log$/,
  );
});

test("a wrong password is said to be wrong, and is not shown", async () => {
  await deployment.juju.setConfig(APPLICATION, { "openstack-project-name": "builder" });
  deployment.juju.updateSecret(deployment.passwordSecret, { password: "not-the-password" });
  await deployment.settle();
  await deployment.follow(() => {});
  expect(await statusWithNothingLeft()).toMatch(
    /^blocked build failed: cannot sign in to the build cloud: .*(password|user).*; see \S+\/build\.log$/,
  );
  expect(deployment.status()).not.toContain("not-the-password");
});
