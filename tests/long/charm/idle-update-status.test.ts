import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../../../src/base/deadline.ts";
import { openJournal } from "../../../src/build/journal.ts";
import { NOBLE } from "../../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate, type Requirer } from "../../support/charm-requirers.ts";
import { APPLICATION, BUILDER_PASSWORD, deployBuilder, UNIT, type Deployed } from "../../support/charm.ts";

const PROJECTS = ["runner-a", "runner-b", "runner-c"] as const;

/** One deployment goes through all tests of this file, in their order. */
describe("update-status", () => {
  let charm: Deployed;
  let clouds: readonly string[];
  const runners: Requirer[] = [];

  beforeAll(async () => {
    charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    clouds = PROJECTS.map((project) => cloudOf(credentialsOf(charm, project)));
    for (const project of PROJECTS) runners.push(await relate(charm, project, credentialsOf(charm, project)));
    await endBuild("1");
    await charm.wake();
  });
  afterAll(async () => await charm[Symbol.asyncDispose]());

  /** Ends the newest build with one image in every cloud, of which the charm is not told. */
  const endBuild = async (revision: string): Promise<void> => {
    const ids = Object.fromEntries(clouds.map((cloud) => [cloud, `${cloud}-${revision}`]));
    const build = (await charm.builds()).at(-1);
    await charm.builders.end(build, { outcome: "done", images: [{ spec: NOBLE, ids }] });
  };
  const startBuild = async (): Promise<void> => {
    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
  };
  /** The status that a reconcile without any memory gives. */
  const statusInFull = async (): Promise<string> => {
    await rm(charm.paths.settledFile, { force: true });
    expect(await charm.updateStatusCommands()).toContain("relation-get");
    return charm.status();
  };
  const IDLE = ["secret-get", "status-set"];

  it("of a settled unit asks for the secret alone, and gives the status of a full reconcile", async () => {
    const full = await statusInFull();
    expect(full).toMatch(
      /^active noble-x64 of .* UTC \(less than 1 h old\), published to 3 of 3 relations, next build /,
    );
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
    expect(charm.status()).toBe(full);
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
  });

  it("keeps no secret in what it remembers, and for its owner alone", async () => {
    const text = await readFile(charm.paths.settledFile, "utf8");
    for (const password of [BUILDER_PASSWORD, ...PROJECTS.map((name) => `${name}-S3cret-pass`)]) {
      expect(text).not.toContain(password);
    }
    expect((await stat(charm.paths.settledFile)).mode & 0o777).toBe(0o600);
  });

  it("tells of a running build that only the journal knows", async () => {
    await startBuild();
    const [build] = (await charm.builds()).slice(-1);
    using journal = openJournal(build?.folder ?? "", () => {});
    journal.add({ event: "step-started", image: "noble-x64", step: "run the script" });
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
    const idle = charm.status();
    expect(idle).toMatch(/^maintenance building noble-x64: run the script/);
    expect(await statusInFull()).toBe(idle);
  });

  it("publishes the images of a build whose end nobody told", async () => {
    await endBuild("2");
    expect(await charm.updateStatusCommands()).toContain("relation-set");
    expect(runners.map((runner) => runner.bag()["id"])).toEqual(clouds.map((cloud) => `${cloud}-2`));
    expect(charm.status()).toMatch(/^active /);
  });

  it("does not take for published what Juju refused to write", async () => {
    await startBuild();
    await endBuild("3");
    charm.juju.failNextCommit(UNIT, "the controller is away");
    await charm.wake();
    await charm.updateStatus();
    expect(runners.map((runner) => runner.bag()["id"])).toEqual(clouds.map((cloud) => `${cloud}-3`));
  });

  it("tells of a failed build, and asks for everything as long as the unit is blocked", async () => {
    await charm.updateStatus();
    await startBuild();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: { failed: "snapshot: in error" } });
    for (const _ of [1, 2]) {
      expect(await charm.updateStatusCommands()).toContain("relation-get");
      expect(charm.status()).toMatch(/^blocked build failed: noble-x64: snapshot: in error/);
    }
    await startBuild();
    await endBuild("4");
    await charm.wake();
    await charm.updateStatus();
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
  });

  it("sees what is added to the journal of a build that had ended", async () => {
    const [build] = (await charm.builds()).slice(-1);
    {
      using journal = openJournal(build?.folder ?? "", () => {});
      journal.add({ event: "ended", outcome: "failed", error: "found out later" });
    }
    await charm.updateStatus();
    expect(charm.status()).toMatch(/^blocked build failed: found out later/);
    {
      using journal = openJournal(build?.folder ?? "", () => {});
      journal.add({ event: "ended", outcome: "done", error: null });
    }
    await charm.updateStatus();
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
    expect(charm.status()).toMatch(/^active /);
  });

  it("sees that the secret was taken away, and given again, of which no hook tells", async () => {
    charm.juju.revokeSecret(charm.passwordSecret, APPLICATION);
    await charm.updateStatus();
    expect(charm.status()).toMatch(/^blocked openstack-password-secret: this application may not read/);
    charm.juju.grantSecret(charm.passwordSecret, APPLICATION);
    expect(await charm.updateStatusCommands()).toContain("relation-get");
    expect(charm.status()).toMatch(/^active /);
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
  });

  it("writes our files again when somebody changed them", async () => {
    for (const file of [charm.paths.cloudsFile, charm.paths.cronFile, charm.paths.publishedFile]) {
      const before = await readFile(file, "utf8");
      await writeFile(file, "edited");
      await charm.updateStatus();
      expect(await readFile(file, "utf8")).toBe(before);
      expect(await charm.updateStatusCommands()).toEqual(IDLE);
    }
  });

  it.each([
    ["older than an hour", (at: number) => ({ at: at - 3_600_001 })],
    ["of the future", (at: number) => ({ at: at + 3_600_000 })],
    ["of another revision of the charm", () => ({ format: 0 })],
    ["made in other surroundings", () => ({ surroundings: "" })],
  ])("asks for everything when its memory is %s", async (_, change) => {
    const settled = JSON.parse(await readFile(charm.paths.settledFile, "utf8")) as { at: number };
    await writeFile(charm.paths.settledFile, JSON.stringify({ ...settled, ...change(settled.at) }));
    expect(await charm.updateStatusCommands()).toContain("relation-get");
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
  });

  it("asks for everything when its memory is no JSON", async () => {
    await writeFile(charm.paths.settledFile, '{"format":1,"at"');
    expect(await charm.updateStatusCommands()).toContain("relation-get");
  });

  it("follows a relation that ends", async () => {
    await runners.at(-1)?.leave();
    // the record for other units was changed with it, and is looked at once more
    await charm.updateStatus();
    const idle = await charm.updateStatusCommands();
    expect(idle).toEqual(IDLE);
    expect(charm.status()).toMatch(/^active noble-x64 of .*, published to 2 of 2 relations/);
    expect(await statusInFull()).toMatch(/^active noble-x64 of .*, published to 2 of 2 relations/);
  });

  it("that is ended while it waits for Juju runs again", async () => {
    const repair = charm.juju.injectFault({ command: "secret-get", nth: 1, hang: true });
    const from = charm.mark();
    await charm.juju.updateStatus(UNIT);
    await waitFor(AbortSignal.timeout(20_000), 10, async () =>
      charm.calls("secret-get", from).length > 0 ? true : undefined,
    );
    expect(charm.juju.killHook(UNIT, "SIGTERM")).toBe(true);
    await charm.settle();
    repair();
    expect(
      charm.juju
        .journal()
        .slice(from)
        .map(({ command }) => command),
    ).toEqual(["secret-get", ...IDLE]);
    expect(charm.failures()).toEqual([]);
  });

  it.each(["secret-get", "status-set"])("asks for everything when %s fails for once", async (command) => {
    const repair = charm.juju.injectFault({
      command,
      nth: 1,
      exit: 1,
      stderr: "ERROR connection is shut down",
    });
    expect(await charm.updateStatusCommands()).toContain("relation-get");
    repair();
    expect(charm.failures()).toEqual([]);
    expect(charm.status()).toMatch(/^active /);
    expect(await charm.updateStatusCommands()).toEqual(IDLE);
  });

  it("fails, and says why, when a hook command goes on failing", async () => {
    const repair = charm.juju.injectFault({
      command: "secret-get",
      exit: 1,
      stderr: "ERROR connection is shut down",
    });
    await charm.juju.updateStatus(UNIT);
    await waitFor(AbortSignal.timeout(20_000), 10, async () =>
      charm.failures().length > 0 ? true : undefined,
    );
    repair();
    await charm.settle();
    expect(charm.log().join("\n")).toContain("cannot run secret-get: connection is shut down");
  });

  it("logs nothing", async () => {
    expect(await charm.updateStatusCommands()).not.toContain("juju-log");
  });
});
