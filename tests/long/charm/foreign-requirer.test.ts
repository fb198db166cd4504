/** Our charm beside one that knows nothing of it: Python's standard library, and what the interface says. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NOBLE } from "../../support/charm-builds.ts";
import { cloudOf, credentialsOf, type Credentials } from "../../support/charm-requirers.ts";
import { APPLICATION, deployBuilder, REPOSITORY, UNIT, UNITS, type Deployed } from "../../support/charm.ts";

const FOREIGN = join(REPOSITORY, "tests/support/foreign-requirer");

/** A related foreign charm. */
interface Foreign {
  readonly application: string;
  readonly credentials: Credentials;
  readonly relation: number;
  /** `<name> <message>`: what it made of the relation. */
  readonly status: () => string;
  /** Its hooks since the last call, failed ones too. */
  readonly hooks: () => readonly string[];
}

async function relateForeign(charm: Deployed, name: string, mode: string): Promise<Foreign> {
  const { juju } = charm;
  const credentials = credentialsOf(charm, name);
  const options = Object.entries(credentials).map(([key, value]) => [key.replaceAll("_", "-"), value]);
  await juju.deploy(name, { charm: FOREIGN, config: { mode, ...Object.fromEntries(options) } });
  await charm.settle();
  let seen = juju.logs().length;
  const relation = await juju.relate(`${APPLICATION}:image`, `${name}:image`);
  await charm.settle();
  return {
    application: name,
    credentials,
    relation,
    status() {
      const workload = juju.status().applications[name]?.units[`${name}/0`]?.workload;
      return `${workload?.status} ${workload?.message}`;
    },
    hooks() {
      const fresh = juju.logs().slice(seen);
      seen = juju.logs().length;
      return fresh
        .filter(({ unit, module }) => unit === `${name}/0` && module === "juju.worker.uniter.operation")
        .map(({ message }) => message.replace(/^(ran )?(hook )?"(.*?)".*?( failed: .*)?$/, "$3$4"));
    },
  };
}

async function publish(charm: Deployed, ids: Readonly<Record<string, string>>): Promise<void> {
  await charm.builders.end((await charm.builds()).at(-1), {
    outcome: "done",
    images: [{ spec: NOBLE, ids }],
  });
  await charm.wake();
}

describe("a requirer in Python", { timeout: 60_000 }, () => {
  let charm: Deployed;
  beforeEach(async () => {
    charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
  });
  afterEach(async () => await charm[Symbol.asyncDispose]());

  it("that writes once gets exactly our id and tags, and hears of nothing else", async () => {
    const runner = await relateForeign(charm, "runner", "write-once");
    const cloud = cloudOf(runner.credentials);
    expect(runner.hooks()).toEqual([
      "image-relation-created",
      "image-relation-joined",
      "image-relation-changed",
    ]);
    expect(runner.status()).toBe("waiting Waiting for image over integration.");
    expect(charm.status()).toBe("maintenance building noble-x64");

    await publish(charm, { [cloud]: "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001" });
    expect(runner.hooks()).toEqual(["image-relation-changed"]);
    expect(runner.status()).toBe("active image 3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a001 labels x64 noble");

    await charm.wake();
    await charm.updateStatus();
    await charm.configure({ "build-interval": 0 });
    await charm.configure({ "build-interval": 7 });
    for (const outcome of [{ failed: "snapshot: in state error" }, "killed"] as const) {
      await charm.juju.runAction(UNIT, "run");
      await charm.settle();
      await charm.builders.end((await charm.builds()).at(-1), { outcome });
      await charm.wake();
    }
    expect(runner.hooks()).toEqual([]);

    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    await publish(charm, { [cloud]: "3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a002" });
    expect(runner.hooks()).toEqual(["image-relation-changed"]);
    expect(runner.status()).toBe("active image 3f0c5d9e-0d6b-4d2b-b6a1-d1b3c3a0a002 labels x64 noble");

    await charm.juju.removeRelation(runner.relation);
    await charm.settle();
    expect(runner.hooks()).toEqual(["image-relation-departed", "image-relation-broken"]);
    await charm.juju.setConfig("runner", { username: "another" });
    await charm.settle();
    expect(runner.status()).toBe("blocked Please provide image integration.");
    expect(charm.failures()).toEqual([]);
  });

  it("that rewrites in every event neither wakes us for nothing nor loses a new password", async () => {
    const garm = await relateForeign(charm, "garm", "rewrite");
    const cloud = cloudOf(garm.credentials);
    await publish(charm, { [cloud]: "image-1" });
    expect(garm.status()).toBe("active image image-1 labels x64 noble");
    expect(garm.hooks().filter((hook) => hook === "image-relation-changed")).toHaveLength(2);

    const ours = (): number =>
      charm.juju
        .logs()
        .filter(({ unit, message }) => unit === UNIT && message.startsWith('ran "image-relation-')).length;
    const [before, writes] = [ours(), charm.juju.journal().length];
    await charm.juju.upgradeCharm("garm", FOREIGN);
    await charm.settle();
    expect(garm.hooks()).toEqual(["upgrade-charm", "config-changed"]);
    const written = charm.juju.journal().slice(writes);
    expect(
      written.filter(({ command, unit }) => command === "relation-set" && unit === "garm/0"),
    ).toHaveLength(1);
    expect(ours()).toBe(before);

    await charm.juju.setConfig("garm", { password: "rotated-S3cret-pass" });
    await charm.settle();
    expect(ours()).toBe(before + 1);
    expect(await readFile(charm.paths.cloudsFile, "utf8")).toContain("rotated-S3cret-pass");
    expect(garm.hooks()).toEqual(["config-changed"]);
    expect(garm.status()).toBe("active image image-1 labels x64 noble");

    await charm.juju.removeRelation(garm.relation);
    await charm.settle();
    expect(garm.status()).toBe("waiting Waiting for image relation.");
    expect(charm.failures()).toEqual([]);
  });

  it("goes on after an upgrade of our charm, which fires no event there, and gets the next image", async () => {
    const requirers = [
      await relateForeign(charm, "runner", "write-once"),
      await relateForeign(charm, "garm", "rewrite"),
    ];
    const images = (number: number): Record<string, string> =>
      Object.fromEntries(requirers.map((one) => [cloudOf(one.credentials), `${one.application}-${number}`]));
    await publish(charm, images(1));
    for (const one of requirers) {
      one.hooks();
      expect(one.status()).toBe(`active image ${one.application}-1 labels x64 noble`);
    }
    const before = charm.log().length;
    await charm.juju.upgradeCharm(APPLICATION, REPOSITORY);
    await charm.settle();
    expect(
      charm
        .log()
        .slice(before)
        .filter((line) => line.startsWith('INFO ran "')),
    ).toEqual([
      'INFO ran "upgrade-charm" hook (via hook dispatching script: dispatch)',
      'INFO ran "config-changed" hook (via hook dispatching script: dispatch)',
    ]);
    for (const one of requirers) {
      expect(one.hooks()).toEqual([]);
      expect(one.status()).toBe(`active image ${one.application}-1 labels x64 noble`);
    }
    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    await publish(charm, images(2));
    for (const one of requirers) {
      expect(one.hooks()).toEqual(["image-relation-changed"]);
      expect(one.status()).toBe(`active image ${one.application}-2 labels x64 noble`);
    }
    expect(charm.failures()).toEqual([]);
  });

  it("keeps an image while our units come, change the leader and go", async () => {
    const runner = await relateForeign(charm, "runner", "write-once");
    const cloud = cloudOf(runner.credentials);
    await publish(charm, { [cloud]: "image-1" });
    const history = (): readonly string[] =>
      (charm.juju.status().applications["runner"]?.units["runner/0"]?.history ?? []).map(
        ({ status, message }) => `${status} ${message}`,
      );
    const [second = ""] = UNITS.slice(1);
    runner.hooks();
    await charm.juju.addUnits(APPLICATION, 1);
    await charm.settle();
    // Juju lets a unit into the scope before its first relation hook: who looks in between sees no id yet
    const [joined, ...changed] = runner.hooks();
    expect(joined).toBe("image-relation-joined");
    expect(changed.length).toBeLessThanOrEqual(2);
    expect(new Set(changed)).toEqual(new Set(["image-relation-changed"]));
    expect(runner.status()).toBe("active image image-1 labels x64 noble");
    const since = history().length;

    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    await publish(charm, { [cloud]: "image-2" });
    await charm.settle();
    // one for each unit that publishes it
    expect(runner.hooks()).toEqual(["image-relation-changed", "image-relation-changed"]);

    charm.juju.setLeader(second);
    await charm.settle();
    await charm.juju.removeUnit(UNIT);
    await charm.settle();
    expect(runner.hooks()).toEqual(["image-relation-departed"]);
    await charm.juju.upgradeCharm("runner", FOREIGN);
    await charm.settle();
    expect(runner.status()).toBe("active image image-2 labels x64 noble");
    expect(
      history()
        .slice(since)
        .filter((line) => !line.startsWith("active image image-")),
    ).toEqual([]);
    expect(charm.failures()).toEqual([]);
  });
});
