import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { JAMMY, NOBLE } from "../support/charm-builds.ts";
import { cloudOf, credentialsOf, deployRelated, relate, type Requirer } from "../support/charm-requirers.ts";
import { deployBuilder, UNIT, type Deployed } from "../support/charm.ts";

/** One deployment goes through all tests of this file, in their order. */
describe("the databag of a relation", () => {
  let charm: Deployed;
  let runner: Requirer;
  let cloud: string;

  beforeAll(async () => {
    ({ charm, runner, cloud } = await deployRelated());
  });
  afterAll(async () => await charm[Symbol.asyncDispose]());

  it("has nothing before the first image, also when the build fails", async () => {
    const build = (await charm.builds()).at(-1);
    await charm.builders.end(build, {
      outcome: { failed: "cannot launch the server builder-1: No valid host was found" },
    });
    await charm.wake();
    expect(runner.bag()).toEqual({});
    expect(charm.publications()).toEqual([]);
    expect(charm.status()).toBe(
      "blocked build failed: noble-x64: cannot launch the server builder-1: No valid host was found; " +
        `see ${build?.folder}/build.log`,
    );
    expect(await charm.builds()).toHaveLength(2);
  });

  it("gets exactly id, tags and images when a build is done", async () => {
    const { results } = await charm.juju.runAction(UNIT, "run");
    expect(results["build"]).toBe((await charm.builds()).at(-1)?.id);
    await charm.settle();
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001" } }],
    });
    expect(await charm.wake()).toBe(0);
    expect(runner.bag()).toEqual({
      id: "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001",
      tags: "x64,noble",
      images: '[{"id": "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001", "tags": "x64,noble"}]',
    });
    expect(charm.publications()).toHaveLength(1);
    expect(await readFile(charm.paths.publishedFile, "utf8")).toBe(
      '{"ids":["3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001"]}\n',
    );
    expect((await stat(charm.paths.publishedFile)).mode & 0o777).toBe(0o600);
  });

  it("is written once: no later event writes it again, an upgrade neither", async () => {
    const before = charm.mark();
    await charm.wake();
    await charm.updateStatus();
    await charm.fire("hooks/upgrade-charm");
    await charm.fire("hooks/leader-elected");
    expect(charm.calls("status-set", before).length).toBeGreaterThan(0);
    expect(charm.publications(before)).toEqual([]);
  });

  it("stays as it is under a wrong config, a failed build and a killed one", async () => {
    const [before, published] = [charm.mark(), runner.bag()];
    await charm.configure({ "build-interval": 0 });
    expect(charm.status()).toMatch(/^blocked build-interval/);
    await charm.configure({ "build-interval": 6 });
    for (const outcome of [{ failed: "snapshot: in state error" }, "killed"] as const) {
      await charm.juju.runAction(UNIT, "run");
      await charm.settle();
      await charm.builders.end((await charm.builds()).at(-1), { outcome });
      await charm.wake();
    }
    expect(charm.publications(before)).toEqual([]);
    expect(runner.bag()).toEqual(published);
  });

  it("gets a second base added behind the first one, which keeps id", async () => {
    // the build that the killed one is repeated by
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done", targets: [cloud] });
    await charm.configure({ "base-image": "noble,jammy" });
    expect((await charm.builds()).at(-1)?.request).toMatchObject({
      reason: "config",
      images: [NOBLE, JAMMY],
    });
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: { failed: "noble is broken upstream" },
      images: [{ spec: JAMMY, ids: { [cloud]: "image-jammy" } }],
    });
    await charm.wake();
    expect(runner.bag()).toEqual({
      id: "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001",
      tags: "x64,noble",
      images:
        '[{"id": "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001", "tags": "x64,noble"}, ' +
        '{"id": "image-jammy", "tags": "x64,jammy"}]',
    });
    expect(JSON.parse(await readFile(charm.paths.publishedFile, "utf8"))).toEqual({
      ids: ["3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001", "image-jammy"],
    });
  });

  it("gives id to the base that is first now", async () => {
    await charm.configure({ "base-image": "jammy,noble" });
    expect(runner.bag()).toMatchObject({ id: "image-jammy", tags: "x64,jammy" });
  });

  it("keeps the entry of a base that has no image yet where the requirer has moved", async () => {
    const moved = { ...credentialsOf(charm, "runner-a"), project_name: "moved" };
    await runner.write(moved);
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: { failed: "noble is broken upstream" },
      images: [{ spec: JAMMY, ids: { [cloudOf(moved)]: "image-jammy-2" } }],
    });
    await charm.wake();
    expect(runner.bag()).toEqual({
      id: "image-jammy-2",
      tags: "x64,jammy",
      images:
        '[{"id": "image-jammy-2", "tags": "x64,jammy"}, ' +
        '{"id": "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001", "tags": "x64,noble"}]',
    });
    expect(charm.failures()).toEqual([]);
  });
});

describe("a long error", () => {
  it("is cut in the status, which still names the log", async () => {
    await using charm = await deployBuilder();
    const build = (await charm.builds()).at(-1);
    await relate(charm, "runner-a", credentialsOf(charm, "runner-a"));
    await charm.builders.end(build, { outcome: { failed: `cannot build: ${"x".repeat(400)}` } });
    await charm.updateStatus();
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: { failed: `cannot build: ${"x".repeat(400)}` },
    });
    await charm.wake();
    const log = join((await charm.builds()).at(-1)?.folder ?? "", "build.log");
    expect(charm.status()).toMatch(/^blocked build failed: noble-x64: cannot build: x+…; see /);
    expect(charm.status()).toContain(log);
    await stat(log);
  });
});

describe("the first of several bases", () => {
  it("owns id: nothing is published while only another one has an image", async () => {
    const { charm, runner, cloud } = await deployRelated({ config: { "base-image": "noble,jammy" } });
    await using _charm = charm;
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: { failed: "noble is broken upstream" },
      images: [{ spec: JAMMY, ids: { [cloud]: "image-jammy" } }],
    });
    await charm.wake();
    expect(runner.bag()).toEqual({});
    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "image-noble" } }],
    });
    await charm.wake();
    expect(runner.bag()).toEqual({
      id: "image-noble",
      tags: "x64,noble",
      images: '[{"id": "image-noble", "tags": "x64,noble"}, {"id": "image-jammy", "tags": "x64,jammy"}]',
    });
  });
});

describe("a hook command that fails while the databag is written", () => {
  it("leaves no part of it, also under juju-exec, and the next event writes all", async () => {
    await using charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    const [a, b] = [credentialsOf(charm, "runner-a"), credentialsOf(charm, "runner-b")];
    const runners = [await relate(charm, "runner-a", a), await relate(charm, "runner-b", b)];
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(a)]: "image-a", [cloudOf(b)]: "image-b" } }],
    });
    const repair = charm.juju.injectFault({ command: "relation-get", exit: 1, stderr: "ERROR lost\n" });
    expect(await charm.wake()).toBe(1);
    repair();
    expect(runners.map((runner) => runner.bag())).toEqual([{}, {}]);
    const repaired = charm.juju.injectFault({ command: "relation-set", exit: 1, stderr: "ERROR lost\n" });
    expect(await charm.wake()).toBe(1);
    repaired();
    expect(runners.map((runner) => runner.bag())).toEqual([{}, {}]);
    charm.juju.failNextCommit(UNIT, "connection to the controller is lost");
    await charm.updateStatus();
    expect(runners.map((runner) => runner.bag())).toEqual([{}, {}]);
    expect(charm.failures()).toHaveLength(1);
    await charm.juju.resolve(UNIT);
    await charm.settle();
    expect(runners.map((runner) => runner.bag()["id"])).toEqual(["image-a", "image-b"]);
  });
});
