/**
 * Dispatches killed with SIGKILL before each thing that they do: a file that they change, a program (hook command or
 * builder) that they run. A dispatch is learned first; `FAULTS=all` then tries each of its points, else a part that
 * stands for the whole.
 */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readPublished } from "../../../src/build/steps/prune.ts";
import { isUnderWay } from "../../../src/charm/due.ts";
import { NOBLE } from "../../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate, type Requirer } from "../../support/charm-requirers.ts";
import { UNIT } from "../../support/charm.ts";
import { damageOf, deployDoomed, filesBelow, letTimePass, type Doomed } from "../../support/kills.ts";
import { writeFigures } from "../../faults/support/figures.ts";

const isWhole = process.env["FAULTS"] === "all";
const WHOLE_MS = 1_500_000;
const tried = { points: 0, damaged: 0 };

/** A charm that has published `image-0` to one requirer. */
interface Scene extends Doomed {
  readonly requirer: Requirer;
  readonly verified: Set<string>;
  /** Ends the build under way well, with an image of this name; the charm is not woken. */
  readonly endBuild: (image: string) => Promise<void>;
  /** What is wrong now; `isOver` once something has run after the kill. */
  readonly damage: (isOver: boolean) => Promise<readonly string[]>;
}

/** Deploys and publishes; dispose of it. */
async function openScene(): Promise<Scene> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await mkdtempDisposable(join(tmpdir(), "kills-")));
  const doomed = cleanup.use(await deployDoomed(folder.path));
  const { charm } = doomed;
  await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
  const credentials = credentialsOf(charm, "runner-a");
  const requirer = await relate(charm, "runner-a", credentials);
  const verified = new Set<string>();
  const endBuild = async (image: string): Promise<void> => {
    verified.add(image);
    const build = (await charm.builds()).findLast(isUnderWay);
    const images = [{ spec: NOBLE, ids: { [cloudOf(credentials)]: image } }];
    await charm.builders.end(build, { outcome: "done", images });
  };
  await endBuild("image-0");
  await charm.wake();
  expect(requirer.bag()["id"]).toBe("image-0");
  const damage = async (isOver: boolean): Promise<readonly string[]> =>
    await damageOf(charm, { requirers: [requirer], verified, served: new Set([requirer.relation]), isOver });
  const owned = cleanup.move();
  const dispose = async (): Promise<void> => await owned.disposeAsync();
  return { ...doomed, requirer, verified, endBuild, damage, [Symbol.asyncDispose]: dispose };
}

/** Which of `count` points are tried: all, or some that are spread over them. */
function pointsOf(count: number): readonly number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1);
  const few = new Set([2, Math.ceil(count / 2), count - 1]);
  return isWhole ? all : all.filter((at) => few.has(at));
}

/** Learns the dispatch by `once`, which lives through it, then kills it at one point after the other. */
async function sweep(scene: Scene, once: (at: number | null) => Promise<readonly string[]>): Promise<void> {
  const effects = await once(null);
  expect(effects.at(-1)).toBe("exit");
  const problems: string[] = [];
  for (const at of pointsOf(effects.length)) {
    const seen = await once(at);
    const found = await scene.damage(true);
    tried.points += 1;
    if (found.length > 0 || seen.length !== at) {
      tried.damaged += 1;
      problems.push(`before ${at}, ${seen.at(-1)}, of ${effects.length}: ${found.join("; ")}`);
    }
  }
  expect(problems).toEqual([]);
}

afterAll(async () => {
  console.log(JSON.stringify(tried));
  if (!isWhole) return;
  await writeFigures("dispatch", [
    "| what | figure |",
    "| --- | --- |",
    `| points of dispatches at which they were killed | ${tried.points} |`,
    `| points after which something was torn, blank, double or left | ${tried.damaged} |`,
  ]);
});

describe("a dispatch that is killed", { timeout: isWhole ? WHOLE_MS : 120_000 }, () => {
  test("while it starts a build starts one, and what is published stays", async () => {
    await using scene = await openScene();
    const { charm } = scene;
    let round = 0;
    await sweep(scene, async (at) => {
      round += 1;
      const values = {
        "apt-packages": `package-${round}`,
        "script-url": "https://scripts.example/setup.sh",
        "script-secret": "TOKEN=S3cret-value",
      };
      const effects = await scene.doom("hooks/config-changed", at, () => charm.configure(values));
      const torn = await scene.damage(false);
      await scene.recover();
      await letTimePass(charm);
      await charm.updateStatus();
      expect([torn, scene.requirer.bag()["id"]]).toEqual([[], `image-${round - 1}`]);
      await scene.endBuild(`image-${round}`);
      await charm.wake();
      expect(scene.requirer.bag()["id"]).toBe(`image-${round}`);
      return effects;
    });
  });

  test("while it publishes what a build brought publishes the old or the new, and then the new", async () => {
    await using scene = await openScene();
    const { charm, requirer } = scene;
    let round = 0;
    await sweep(scene, async (at) => {
      round += 1;
      await charm.configure({ "apt-packages": `package-${round}` });
      await scene.endBuild(`image-${round}`);
      let exit = 0;
      const effects = await scene.doom("build-changed", at, async () => {
        exit = await charm.wake();
      });
      // who woke it must not take it for a publication
      expect(exit === 0).toBe(at === null);
      const { id = "" } = requirer.bag();
      expect([`image-${round - 1}`, `image-${round}`]).toContain(id);
      // nothing that is published may be pruned
      expect(await readPublished(charm.paths.publishedFile)).toContain(id);
      expect(await scene.damage(false)).toEqual([]);
      await charm.updateStatus();
      expect(requirer.bag()["id"]).toBe(`image-${round}`);
      return effects;
    });
  });

  test("while it serves a new relation serves it when it runs again", async () => {
    await using scene = await openScene();
    const { charm } = scene;
    let round = 0;
    await sweep(scene, async (at) => {
      round += 1;
      const another = await relate(charm, `runner-b${"x".repeat(round)}`);
      const effects = await scene.doom("hooks/image-relation-changed", at, () =>
        another.write(credentialsOf(charm, "runner-a")),
      );
      const requirers = [another, scene.requirer];
      const torn = await damageOf(charm, {
        requirers,
        verified: scene.verified,
        served: new Set([scene.requirer.relation]),
        isOver: false,
      });
      expect(torn).toEqual([]);
      await scene.recover();
      expect(another.bag()["id"]).toBe("image-0");
      await another.leave();
      return effects;
    });
  });

  test("while the schedule's event starts a build starts one at most, and the next tick builds", async () => {
    await using scene = await openScene();
    const { charm } = scene;
    let round = 0;
    await sweep(scene, async (at) => {
      round += 1;
      const effects = await scene.doom("run", at, () => charm.fire("run"));
      expect(await scene.damage(false)).toEqual([]);
      await letTimePass(charm);
      await charm.fire("run");
      expect(await scene.damage(true)).toEqual([]);
      await scene.endBuild(`image-${round}`);
      await charm.wake();
      expect(scene.requirer.bag()["id"]).toBe(`image-${round}`);
      return effects;
    });
  });

  test.each(["hooks/stop", "hooks/remove"])(
    "in %s leaves no file when it runs again",
    async (dispatchPath) => {
      let count = 0;
      // the first only learns
      for (let at = 0; at <= count; at += 1) {
        if (at > 0 && !pointsOf(count).includes(at)) continue;
        await using scene = await openScene();
        const { charm } = scene;
        const effects = await scene.doom(dispatchPath, at === 0 ? null : at, async () => {
          await charm.juju.removeUnit(UNIT);
          await charm.settle();
        });
        if (at === 0) count = effects.length;
        else tried.points += 1;
        await scene.recover();
        const left = (await filesBelow(charm.root)).filter((file) => !file.startsWith("/usr/bin/juju-"));
        if (left.length > 0) tried.damaged += 1;
        expect(left).toEqual([]);
        expect(effects).toHaveLength(at === 0 ? count : at);
      }
      expect(count).toBeGreaterThan(2);
    },
  );
});
