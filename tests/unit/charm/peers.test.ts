import { NO_PINS, parsePins, withPin } from "../../../src/build/pins.ts";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { historyOf, otherUnderWay } from "../../../src/charm/past.ts";
import {
  asPastBuild,
  formatWord,
  readPeers,
  recordChanges,
  tellBuilds,
  type ToldBuild,
} from "../../../src/charm/peers.ts";
import type { HookTool, Relation, Settings, Unit } from "../../../src/juju/index.ts";
import { artifactWith, buildWith } from "../../support/builds.ts";
import { relationWith } from "../../support/facts.ts";

const told = (changes: Partial<ToldBuild> = {}): ToldBuild => ({
  id: "20261123t195102000-aaaa",
  unit: "builder/1",
  kind: "build",
  inputs: "inputs-1",
  createdAt: "2026-11-23T19:51:02.000Z",
  state: "done",
  targets: ["runner"],
  error: null,
  ...changes,
});
const later = new Date("2026-11-23T20:00:00.000Z");

/** A unit `builder/0` with one peer relation, and a tool that knows the application's units. */
function unitWith(
  record: Settings,
  others: Readonly<Record<string, Settings>>,
  units: readonly string[] = ["builder/0", ...Object.keys(others)],
): { readonly unit: Unit; readonly tool: HookTool } {
  const relation: Relation = { ...relationWith(others), ourApplicationData: async () => record };
  const asked = async (): Promise<never> => {
    throw new Error("not asked for");
  };
  return {
    unit: {
      name: "builder/0",
      application: "builder",
      isLeader: async () => false,
      relations: async () => [relation],
    } as unknown as Unit,
    tool: {
      run: async (name: string) => {
        if (name !== "goal-state") return await asked();
        return JSON.stringify({
          units: Object.fromEntries(units.map((unit) => [unit, { status: "active" }])),
          relations: {},
        });
      },
    } as unknown as HookTool,
  };
}

describe("what peers say", () => {
  test("is what they wrote", async () => {
    const word = { builds: [told()], artifacts: [artifactWith()], published: ["b", "a"] };
    const bag = formatWord(word);
    expect(bag["published"]).toBe('["a","b"]');
    const record = {
      leader: "builder/1",
      "image-7": '{"id":"a","tags":"x64,noble","images":"[]"}',
      unknown: "of a later revision",
    };
    expect(await readPeers(unitWith(record, { "builder/1": bag }))).toMatchObject({
      isLeader: false,
      others: ["builder/1"],
      leader: "builder/1",
      publications: new Map([[7, { id: "a", tags: "x64,noble", images: "[]" }]]),
      builds: [told()],
      artifacts: [artifactWith()],
      published: ["a", "b"],
    });
  });

  test.each([
    ["no JSON", "{"],
    ["another form", '{"a":1}'],
    ["a list of something else", "[1]"],
  ])("counts as not said when it is %s", async (_what, text) => {
    const bag = { builds: text, artifacts: text, published: text };
    const peers = await readPeers(
      unitWith({ ...bag, "image-1": text, "image-x": "{}" }, { "builder/1": bag }),
    );
    expect(peers).toMatchObject({ builds: [], artifacts: [], published: [], publications: new Map() });
  });

  test("leaves out what is our own", async () => {
    const record = { builds: JSON.stringify([told({ unit: "builder/0" })]) };
    expect((await readPeers(unitWith(record, {}))).builds).toEqual([]);
  });

  test("takes the build of a unit that is gone for interrupted, not that of one that it has yet to meet", async () => {
    const running = told({ state: "running" });
    const record = { builds: JSON.stringify([running]) };
    const statesWith = async (units: readonly string[]): Promise<readonly string[]> =>
      (await readPeers(unitWith(record, {}, units))).builds.map(({ state }) => state);
    expect(await statesWith(["builder/0", "builder/1"])).toEqual(["running"]);
    expect(await statesWith(["builder/0"])).toEqual(["interrupted"]);
  });
});

describe("what a unit tells", () => {
  test("is of its last two builds, with the beginning of what went wrong", () => {
    const builds = [
      buildWith({ id: "a" }),
      buildWith({ id: "b", state: "queued" }),
      buildWith({ id: "c", state: "failed", errors: ["x".repeat(1000)] }),
    ];
    expect(tellBuilds(builds, "builder/0").map(({ id, state, error }) => [id, state, error?.length])).toEqual(
      [
        ["b", "running", undefined],
        ["c", "failed", 300],
      ],
    );
  });

  test("has no digest of a secret", () => {
    const text = JSON.stringify(tellBuilds([buildWith()], "builder/0"));
    expect(text).not.toContain("access-1");
    expect(text).not.toContain("secrets-1");
  });
});

describe("the leader's record", () => {
  const publication = { id: "a", tags: "x64,noble", images: "[]" };

  test("loses the relations that are gone, and nothing else", () => {
    const current = { "image-3": "old", "image-4": "old", other: "stays" };
    expect(recordChanges(current, "builder/0", new Map([[4, publication]]), null, NO_PINS)).toEqual({
      "image-3": null,
      "image-4": JSON.stringify(publication),
      leader: "builder/0",
    });
  });
});

describe("pins in the leader's record", () => {
  test("reach the next leader, and are told only once there were some", () => {
    const pins = withPin(
      NO_PINS,
      { spec: { base: "noble", arch: "x64" }, buildId: "b1", copies: [artifactWith({ buildId: "b1" })] },
      later,
    );
    const { pins: text } = recordChanges({}, "builder/0", new Map(), null, pins);
    expect(parsePins(text ?? undefined)).toEqual(pins);
    expect(recordChanges({}, "builder/0", new Map(), null, NO_PINS)).toEqual({ leader: "builder/0" });
  });
});

describe("the history of all units", () => {
  test("is in the order of time, with the newest artifact whoever made it", () => {
    const ours = buildWith({
      id: "20261123t200000000-bbbb",
      artifacts: [artifactWith({ buildId: "20261123t200000000-bbbb", imageId: "ours" })],
    });
    const theirs = artifactWith({ buildId: "20261123t195102000-aaaa", imageId: "theirs" });
    const history = historyOf([ours], { builds: [told()], artifacts: [theirs] }, new Map(), NO_PINS, later);
    expect(history.builds.map(({ id }) => id)).toEqual([told().id, ours.id]);
    expect([...history.artifacts.values()].map(({ imageId }) => imageId)).toEqual(["ours"]);
  });

  test("waits for a silent unit as long as a build may take, and no longer", () => {
    const running = told({ state: "running" });
    const limit = LIMITS.build + LIMITS.unwind;
    const at = (ms: number): Date => new Date(Date.parse(running.createdAt) + ms);
    expect(asPastBuild(running, at(limit), limit).state).toBe("running");
    expect(asPastBuild(running, at(limit + 1), limit).state).toBe("interrupted");
    expect(otherUnderWay([running], at(limit))).toEqual(running);
    expect(otherUnderWay([running], at(limit * 2))).toBeNull();
  });
});
