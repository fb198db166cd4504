import { describe, expect, test } from "vitest";
import { newestOf } from "../../../../src/build/history.ts";
import { ownerTags, TAG } from "../../../../src/build/names.ts";
import { NO_PINS, pinned, withoutPins, withPin, type Pins } from "../../../../src/build/pins.ts";
import {
  copiesIn,
  prunable,
  TRANSITIONS,
  type Copy,
  type CopyState,
} from "../../../../src/build/publication/states.ts";
import type { Image } from "../../../../src/openstack/index.ts";
import type { Artifact } from "../../../../src/build/types.ts";
import { artifactWith, OWNER } from "../../../support/builds.ts";
import { imageWith } from "../../../support/images.ts";
import { randomOf, type Random } from "../../../support/property/random.ts";

const CLOUDS = ["a", "b"] as const;
const NOBLE = { base: "noble", arch: "x64" } as const;
const KEEP = 2;
const SEEDS = 300;
const ROUNDS = 25;

/** A process that is killed between two effects. */
class Crash extends Error {}

/** Two clouds and their databags, with one foreign image of the same name in each. */
class World {
  readonly images = new Map<string, Map<string, Image>>(
    CLOUDS.map((cloud) => [cloud, new Map([["foreign", imageWith({ id: "foreign" })]])]),
  );
  readonly bags = new Map<string, string>();
  /** What journals tell of. */
  readonly artifacts: Artifact[] = [];
  pins: Pins = NO_PINS;
  /** Rules that did not hold. */
  readonly broken: string[] = [];
  #clock = 0;
  #left = Infinity;
  #last = new Map<string, CopyState>();

  /** From now on the process is killed before its effect number `effects`. */
  crashAfter(effects: number): void {
    this.#left = effects;
  }

  now(): Date {
    this.#clock += 1000;
    return new Date(Date.UTC(2026, 10, 24) + this.#clock);
  }

  /** Changes the world outside of the process, unless that is dead; then looks whether all still holds. */
  effect(change: () => void): void {
    if (this.#left <= 0) throw new Crash("killed");
    this.#left -= 1;
    change();
    this.check();
  }

  copies(cloud: string): readonly Copy[] {
    const published = new Set(this.bags.values());
    const revisions = new Set(this.pins.pins.map(({ buildId }) => buildId));
    return copiesIn([...(this.images.get(cloud)?.values() ?? [])], OWNER, { published, pinned: revisions });
  }

  must(holds: boolean, what: string): void {
    if (!holds) this.broken.push(what);
  }

  check(): void {
    const seen = new Map<string, CopyState>();
    for (const cloud of CLOUDS) {
      const images = this.images.get(cloud);
      this.must(images?.has("foreign") === true, `the foreign image of ${cloud} is gone`);
      const bag = this.bags.get(cloud);
      const image = bag === undefined ? undefined : images?.get(bag);
      const isGood = image?.status === "active" && image.properties[TAG.role] === "runner";
      this.must(bag === undefined || isGood, `${bag} is published in ${cloud} and no good image`);
      for (const { image, state } of this.copies(cloud)) seen.set(`${cloud}/${image.id}`, state);
    }
    for (const key of new Set([...seen.keys(), ...this.#last.keys()])) {
      const before = this.#last.get(key) ?? "absent";
      const after = seen.get(key) ?? (before === "uploading" ? "absent" : "pruned");
      this.must(before === after || TRANSITIONS[before].includes(after), `${key}: ${before} became ${after}`);
    }
    this.#last = seen;
  }
}

function build(world: World, id: string): void {
  reap(world, id);
  for (const cloud of CLOUDS) {
    const images = world.images.get(cloud);
    const imageId = `${id}-${cloud}`;
    const properties = { ...ownerTags(OWNER, id, "upload"), [TAG.revision]: id };
    const image = imageWith({ id: imageId, status: "queued", createdAt: world.now(), properties });
    world.effect(() => images?.set(imageId, image));
    world.effect(() => images?.set(imageId, { ...image, status: "active" }));
    const verified = { ...image, status: "active", properties: { ...properties, [TAG.role]: "runner" } };
    world.effect(() => images?.set(imageId, verified));
    const createdAt = world.now().toISOString();
    world.effect(() => world.artifacts.push(artifactWith({ cloud, imageId, buildId: id, createdAt })));
  }
  publish(world);
  for (const cloud of CLOUDS) {
    for (const { image } of prunable(world.copies(cloud), KEEP)) {
      world.effect(() => world.images.get(cloud)?.delete(image.id));
    }
  }
}

/** As the charm does it at every hook: what may be published is, and nothing is ever taken back. */
function publish(world: World): void {
  const chosen = newestOf(pinned(world.artifacts, world.pins));
  for (const cloud of CLOUDS) {
    const id = chosen.get(`${cloud}/noble-x64`)?.imageId;
    if (id !== undefined && world.bags.get(cloud) !== id) world.effect(() => world.bags.set(cloud, id));
  }
}

function reap(world: World, living: string): void {
  for (const images of world.images.values()) {
    for (const { id, properties } of images.values()) {
      if (properties[TAG.role] === "upload" && properties[TAG.build] !== living)
        world.effect(() => images.delete(id));
    }
  }
}

/** Pins what an operator may choose: a revision that is whole in some cloud. */
function rollback(world: World, random: Random): void {
  const cloud = random.pick(CLOUDS);
  const [first, ...rest] = world.copies(cloud).filter(({ state }) => state !== "uploading");
  if (first === undefined) return;
  const { revision } = random.pick([first, ...rest]);
  const copies = CLOUDS.flatMap((one) =>
    world
      .copies(one)
      .filter((copy) => copy.revision === revision && copy.state !== "uploading")
      .map(({ image }) => artifactWith({ cloud: one, imageId: image.id, buildId: revision })),
  );
  world.effect(() => {
    world.pins = withPin(world.pins, { spec: NOBLE, buildId: revision, copies }, world.now());
  });
  publish(world);
}

function walk(seed: number): World {
  const random = randomOf(seed);
  const world = new World();
  for (let round = 0; round < ROUNDS; round += 1) {
    world.crashAfter(random.whole(3) === 0 ? random.whole(14) : Infinity);
    try {
      const what = random.whole(6);
      if (what < 4) build(world, `b${String(round).padStart(3, "0")}`);
      else if (what === 4) rollback(world, random);
      else world.effect(() => (world.pins = withoutPins(world.pins, null, world.now())));
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    // the agent comes back: the next hook publishes
    world.crashAfter(Infinity);
    publish(world);
  }
  return world;
}

describe("publishing and pruning, killed between any two effects", () => {
  test(`keeps every published image and every rule of the states in ${SEEDS} random lives`, () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { broken } = walk(seed);
      expect({ seed, broken }).toEqual({ seed, broken: [] });
    }
  });

  test("bounds the history once a build comes through", () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const world = walk(seed);
      build(world, "b998");
      build(world, "b999");
      for (const cloud of CLOUDS) {
        // the newest two, what is published and the one before it
        expect(world.copies(cloud).length).toBeLessThanOrEqual(KEEP + 2);
        expect(world.copies(cloud).every(({ state }) => state !== "uploading")).toBe(true);
      }
    }
  });

  test("leaves the one before what is published to roll back to", () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const world = walk(seed);
      world.effect(() => (world.pins = withoutPins(world.pins, null, world.now())));
      for (const id of ["b997", "b998", "b999"]) build(world, id);
      for (const cloud of CLOUDS) {
        expect(world.copies(cloud).slice(0, 2)).toMatchObject([
          { revision: "b999", state: "published" },
          { revision: "b998", state: "superseded" },
        ]);
      }
    }
  });
});
