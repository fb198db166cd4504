/** Several units: the leader builds, the others publish the same. Relation data as in the contract of `image`. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pathsOf } from "../../../src/build/paths.ts";
import { NOBLE } from "../../support/charm-builds.ts";
import { deployRelated, type Requirer } from "../../support/charm-requirers.ts";
import { APPLICATION, UNITS, type Deployed } from "../../support/charm.ts";

const [FIRST = "", SECOND = "", THIRD = ""] = UNITS;

describe("several units", () => {
  let charm: Deployed;
  let runner: Requirer;
  let cloud: string;

  beforeAll(async () => {
    ({ charm, runner, cloud } = await deployRelated());
    await finish(FIRST, "image-1");
  });
  afterAll(async () => await charm[Symbol.asyncDispose]());

  /** Ends the newest build of `unit` with an image and wakes its charm. */
  async function finish(unit: string, id: string): Promise<void> {
    await charm.builders.end((await charm.builds(unit)).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: id } }],
    });
    expect(await charm.wake(unit)).toBe(0);
    await charm.settle();
  }

  const lead = async (unit: string): Promise<void> => {
    charm.juju.setLeader(unit);
    await charm.settle();
  };
  const leaderNow = (): string | undefined =>
    Object.entries(charm.juju.status().applications[APPLICATION]?.units ?? {}).find(
      ([, { leader }]) => leader,
    )?.[0];
  const count = async (unit: string): Promise<number> => (await charm.builds(unit)).length;

  it("publish in the first hook that has a relation to publish to, before the requirer hears of the unit", async () => {
    const before = charm.juju.journal().length;
    const seen: string[] = [];
    await charm.juju.addUnits(APPLICATION, 1);
    await charm.settle();
    for (const call of charm.juju.journal().slice(before)) {
      if (call.unit === SECOND && call.command === "relation-set" && call.words[1]?.startsWith("image:"))
        seen.push(call.hook);
    }
    expect(seen).toEqual(["image-relation-created"]);
    expect(runner.bag(SECOND)).toEqual(runner.bag(FIRST));
    expect(runner.bag(SECOND)["id"]).toBe("image-1");
  });

  it("say who builds", () => {
    expect(charm.status(FIRST)).toMatch(/^active noble-x64 .*published to 1 of 1 relations, next build /);
    expect(charm.status(SECOND)).toMatch(
      /^active noble-x64 .*published to 1 of 1 relations, standby for image-builder\/0$/,
    );
  });

  it("have as little to do as one unit when nothing changes", async () => {
    await charm.updateStatus(SECOND);
    const from = charm.mark();
    await charm.updateStatus(SECOND);
    const commands = charm.juju.journal().slice(from);
    expect(commands.map(({ command }) => command)).toEqual(["secret-get", "status-set"]);
    expect(charm.status(SECOND)).toMatch(/standby for image-builder\/0$/);
  });

  it("build on the leader alone, by the schedule as by the action", async () => {
    expect(await charm.fire("run", SECOND)).toBe(0);
    expect(await charm.juju.runAction(SECOND, "run")).toMatchObject({
      status: "failed",
      message: "cannot build on image-builder/1: it does not lead; run juju run image-builder/leader run",
    });
    expect(await count(SECOND)).toBe(0);
    await charm.fire("run", FIRST);
    expect(await count(FIRST)).toBe(3);
    await finish(FIRST, "image-2");
    expect(runner.bag(FIRST)["id"]).toBe("image-2");
    expect(runner.bag(SECOND)).toEqual(runner.bag(FIRST));
  });

  it("tell the builder of each other, so that none reaps what another made, or prunes what it publishes", async () => {
    await charm.fire("run", FIRST);
    const build = (await charm.builds(FIRST)).at(-1);
    const request = JSON.parse(await readFile(`${build?.folder}/request.json`, "utf8")) as unknown;
    expect(request).toMatchObject({ owner: { unit: FIRST }, otherUnits: [SECOND] });
    const published = await readFile(pathsOf(charm.root, FIRST).publishedFile, "utf8");
    expect(JSON.parse(published)).toEqual({ ids: ["image-2"] });
  });

  it("wait for a build that goes on where leadership was, and publish its images", async () => {
    await lead(SECOND);
    expect(charm.status(SECOND)).toMatch(/^maintenance build \S+ runs on image-builder\/0$/);
    expect(await count(SECOND)).toBe(0);
    expect(await charm.juju.runAction(SECOND, "run")).toMatchObject({
      status: "completed",
      results: { build: (await charm.builds(FIRST)).at(-1)?.id },
    });
    await finish(FIRST, "image-3");
    expect(runner.bag(SECOND)["id"]).toBe("image-3");
    expect(runner.bag(FIRST)).toEqual(runner.bag(SECOND));
    expect(await count(SECOND)).toBe(0);
    expect(charm.status(FIRST)).toMatch(/standby for image-builder\/1$/);
  });

  it("mirror under a wrong config, too, and never blank what is published", async () => {
    await charm.fire("run", SECOND);
    await charm.juju.setConfig(APPLICATION, { "build-interval": 0 });
    await charm.settle();
    for (const unit of [FIRST, SECOND]) {
      expect(charm.status(unit)).toMatch(/^blocked build-interval: /);
      expect(runner.bag(unit)["id"]).toBe("image-3");
    }
    await charm.juju.addUnits(APPLICATION, 1);
    await charm.settle();
    expect(runner.bag(THIRD)).toEqual(runner.bag(SECOND));
    await charm.configure({ "build-interval": 6 });
    await finish(SECOND, "image-4");
    for (const unit of UNITS) expect(runner.bag(unit)["id"]).toBe("image-4");
  });

  it("build anew when the unit that built is gone in mid-build", async () => {
    await charm.fire("run", SECOND);
    expect(await count(SECOND)).toBe(2);
    await charm.juju.removeUnit(SECOND);
    await charm.settle();
    const leader = leaderNow();
    expect([FIRST, THIRD]).toContain(leader);
    const build = (await charm.builds(leader)).at(-1);
    expect(build?.request.reason).toBe("retry");
    await finish(leader ?? "", "image-5");
    for (const unit of [FIRST, THIRD]) expect(runner.bag(unit)["id"]).toBe("image-5");
  });

  it("go on when the units that built are gone", async () => {
    await lead(THIRD);
    await charm.juju.removeUnit(FIRST);
    await charm.settle();
    expect(runner.bag(THIRD)["id"]).toBe("image-5");
    expect(charm.status(THIRD)).toMatch(/^active /);
    expect(charm.failures()).toEqual([]);
  });
});
