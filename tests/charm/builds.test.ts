import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../../src/base/deadline.ts";
import { NOBLE } from "../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../support/charm-requirers.ts";
import { deployBuilder, MODEL_UUID, UNIT, type Deployed } from "../support/charm.ts";

describe("builds", () => {
  let charm: Deployed;
  let cloud: string;

  /** Ends the running build well; its image is called after the build. */
  const finish = async (): Promise<string> => {
    const build = (await charm.builds()).at(-1);
    const id = `image-of-${build?.id}`;
    await charm.builders.end(build, { outcome: "done", images: [{ spec: NOBLE, ids: { [cloud]: id } }] });
    await charm.wake();
    return id;
  };
  const reasons = async (): Promise<readonly string[]> =>
    (await charm.builds()).map(({ request }) => `${request.kind} ${request.reason}`);

  beforeAll(async () => {
    charm = await deployBuilder();
  });
  afterAll(async () => await charm[Symbol.asyncDispose]());

  it("are not started by the schedule or the action while nobody is related, and both say why", async () => {
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    expect(await charm.fire("run")).toBe(0);
    expect(charm.status()).toMatch(/^blocked relation image is missing/);
    const action = await charm.juju.runAction(UNIT, "run");
    expect(action).toMatchObject({
      status: "failed",
      message: "cannot build: no related charm has given credentials; integrate one first",
    });
    expect(await reasons()).toEqual(["initialise config"]);
  });

  it("are asked for by a request that says what, for whom and how to wake the charm", async () => {
    const credentials = credentialsOf(charm, "runner-a");
    cloud = cloudOf(credentials);
    await relate(charm, "runner-a", credentials);
    const build = (await charm.builds()).at(-1);
    const request = JSON.parse(await readFile(join(build?.folder ?? "", "request.json"), "utf8"));
    expect(request).toMatchObject({
      kind: "build",
      reason: "relation",
      owner: { modelUuid: MODEL_UUID, application: "image-builder", unit: UNIT },
      images: [NOBLE],
      cloudsFile: charm.paths.cloudsFile,
      buildCloud: "builder",
      keepRevisions: 5,
      script: null,
      secretsFile: null,
      wake: [join(charm.root, "usr/bin/juju-exec"), UNIT, "JUJU_DISPATCH_PATH=build-changed ./dispatch"],
    });
    await finish();
  });

  it("are started by the event run, and joined while one runs", async () => {
    expect(await charm.fire("run")).toBe(0);
    expect(charm.status()).toBe("maintenance building noble-x64");
    expect(await charm.fire("run")).toBe(0);
    expect((await reasons()).slice(2)).toEqual(["build schedule"]);
    const action = await charm.juju.runAction(UNIT, "run");
    expect(action).toMatchObject({
      status: "completed",
      results: { build: (await charm.builds()).at(-1)?.id },
    });
    expect((await reasons()).slice(2)).toEqual(["build schedule"]);
    await finish();
  });

  it("are started by the action run, which gives the build's id", async () => {
    const action = await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    expect((await reasons()).slice(3)).toEqual(["build action"]);
    expect(action).toMatchObject({
      status: "completed",
      results: { build: (await charm.builds()).at(-1)?.id },
    });
    await finish();
  });

  it("are not started by an action under a wrong config, which fails with the sentence", async () => {
    await charm.configure({ architecture: "z80" });
    const action = await charm.juju.runAction(UNIT, "run");
    expect(action).toMatchObject({
      status: "failed",
      message: expect.stringContaining("architecture: set it to one of x64"),
    });
    await charm.configure({ architecture: "x86_64" });
    expect(await charm.builds()).toHaveLength(4);
  });

  it("are started by an option that images are made from, and by no other", async () => {
    await charm.configure({ "build-interval": 12, "revision-history-limit": 9 });
    await charm.configure({ "build-interval": 6 });
    await charm.updateStatus();
    expect(await charm.builds()).toHaveLength(4);
    await charm.configure({ "apt-packages": "jq" });
    expect((await reasons()).slice(4)).toEqual(["build config"]);
    // changed again while it runs: its end finds that
    await charm.configure({ "runner-version": "2.330.0" });
    expect(await charm.builds()).toHaveLength(5);
    const image = await finish();
    expect((await reasons()).slice(4)).toEqual(["build config", "build config"]);
    expect(charm.juju.unitData(1, UNIT)["id"]).toBe(image);
    await finish();
  });

  it("that were interrupted are repeated once, then wait for a person", async () => {
    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "killed" });
    await charm.updateStatus();
    expect((await reasons()).slice(6)).toEqual(["build action", "build retry"]);
    expect(charm.status()).toBe("maintenance building noble-x64");
    const again = (await charm.builds()).at(-1);
    await charm.builders.end(again, { outcome: "killed" });
    await charm.updateStatus();
    await charm.wake();
    expect(await charm.builds()).toHaveLength(8);
    expect(charm.status()).toBe(
      `blocked build ${again?.id} was interrupted; run the action run to build again; see ${again?.folder}/build.log`,
    );
    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    await finish();
    expect(charm.status()).toMatch(/^active noble-x64 published to 1 of 1 relations/);
    expect(charm.failures()).toEqual([]);
  });
});

describe("a builder that finds no cloud", () => {
  it("fails by itself, wakes the charm, and the unit says which step failed and where the log is", async () => {
    await using charm = await deployBuilder({ config: { architecture: "z80" } });
    charm.builders.release();
    await charm.configure({ architecture: "x64", "openstack-auth-url": "http://127.0.0.1:1/v3" });
    const history = (): readonly string[] =>
      (charm.juju.status().applications["image-builder"]?.units[UNIT]?.history ?? []).map(
        ({ message }) => message,
      );
    await waitFor(AbortSignal.timeout(20_000), 50, async () =>
      history().some((message) => message.startsWith("build failed")) ? true : undefined,
    );
    await charm.settle();
    const build = (await charm.builds()).at(-1);
    expect(build?.state).toBe("failed");
    expect(charm.status()).toContain("blocked build failed: cannot sign in to the build cloud");
    expect(charm.status()).toContain(`see ${build?.folder}/build.log`);
    expect(await charm.builds()).toHaveLength(1);
  });
});
