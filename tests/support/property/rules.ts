/** The rules that hold whenever all hooks have run. */
import { publishedImages, tagsOf } from "../../../src/charm/image-relation.ts";
import type { ImageSpec } from "../../../src/build/types.ts";
import { broken } from "./broken-rule.ts";
import {
  buildsOf,
  cloudFor,
  leaderOf,
  publishedBy,
  underWay,
  unitsOf,
  type Related,
  type World,
} from "./world.ts";

/**
 * An id in a databag belongs to an image that a build brought to a cloud of that relation, and that is still
 * there; what is published once is never taken back while the relation lives.
 */
export function checkDatabags(world: World): void {
  for (const related of world.related) {
    for (const unit of unitsOf(world)) {
      const bag = publishedBy(world, related, unit);
      const where = `${unit} in relation ${related.relation}`;
      for (const [tags, id] of publishedImages(bag)) checkImage(world, related, where, tags, id);
      const before = related.seen.get(unit);
      if (before?.["id"] !== undefined && bag["id"] === undefined) {
        throw broken("never blanked", `${where} published ${before["id"]} and now nothing`);
      }
      const keys = Object.keys(bag).length;
      if (keys !== 0 && keys !== 3)
        throw broken("whole databags", `${where} has ${Object.keys(bag).join(", ")} alone`);
      related.seen.set(unit, bag);
    }
  }
}

function checkImage(world: World, related: Related, where: string, tags: string, id: string): void {
  const image = world.store.find(id);
  if (image === undefined)
    throw broken("only real images", `${where} publishes ${id}, which no build has brought`);
  if (!related.clouds.has(image.cloud)) {
    throw broken("own cloud", `${where} publishes ${id} of ${image.cloud}, which it has never asked for`);
  }
  if (!image.isActive) throw broken("only active images", `${where} publishes ${id}, which is deleted`);
  if (tagsOf(image.spec) !== tags)
    throw broken("true tags", `${where} calls ${id} ${tags}, it is ${tagsOf(image.spec)}`);
}

/** All units publish the same bytes to each relation. */
export function checkEqualUnits(world: World): void {
  for (const related of world.related) {
    const bags = unitsOf(world).map(
      (unit) => [unit, JSON.stringify(publishedBy(world, related, unit))] as const,
    );
    const [first, ...others] = bags;
    for (const [unit, bag] of others) {
      if (bag === first?.[1]) continue;
      throw broken(
        "equal units",
        `relation ${related.relation}: ${first?.[0]} has ${first?.[1]}, ${unit} has ${bag}`,
      );
    }
  }
}

/** Notes what every unit could tell the others by now: it has just run a hook, and nothing stood in its way. */
export async function remember(world: World): Promise<void> {
  for (const { id, unit, state } of await buildsOf(world)) {
    world.remembered.set(id, { id, unit, state, isKnown: isWell(world) });
  }
  if (isWell(world)) world.store.tell(unitsOf(world));
}

/** Whether options and secret are good. */
export function isWell({ config, isGranted }: World): boolean {
  return isGranted && config["build-interval"] !== 0 && config["base-image"] !== "bionic";
}

/** When options and secret are good and no build is under way, every relation has the newest image of its cloud. */
export async function checkNewest(world: World): Promise<void> {
  const [spec] = specsOf(world);
  if (!isWell(world) || (await underWay(world)).length > 0) return;
  for (const related of world.related) {
    const cloud = cloudFor(world, related);
    const image = cloud === null ? undefined : world.store.newest(cloud, `${spec.base}-${spec.arch}`);
    const { id } = publishedBy(world, related, leaderOf(world));
    if (image === undefined || id === image.id) continue;
    throw broken("newest image", `relation ${related.relation} has ${id ?? "nothing"} and not ${image.id}`);
  }
}

function specsOf({ config }: World): readonly [ImageSpec, ...ImageSpec[]] {
  const [first = "noble", ...others] = String(config["base-image"]).split(",");
  const specOf = (base: string): ImageSpec => ({ base: base as ImageSpec["base"], arch: "x64" });
  return [specOf(first), ...others.map(specOf)];
}

/** Every unit says what is the case. */
export async function checkStatuses(world: World): Promise<void> {
  for (const unit of unitsOf(world)) {
    const said = world.charm.status(unit);
    const expected = await expectedStatus(world, unit);
    if (expected.test(said)) continue;
    throw broken("true status", `${unit} says "${said}", expected ${String(expected)}`);
  }
}

async function expectedStatus(world: World, unit: string): Promise<RegExp> {
  if (world.config["build-interval"] === 0 || world.config["base-image"] === "bionic") {
    return /^blocked (build-interval|base-image): /;
  }
  if (!world.isGranted) return /^blocked openstack-password-secret: this application may not read/;
  const running = await underWay(world);
  const isLeader = leaderOf(world) === unit;
  const last = [...world.remembered.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)).at(-1);
  const isCutShort = isLeader && running.length === 0 && last !== undefined && last.state !== "done";
  if (isCutShort) return /^blocked build /;
  if (world.related.length === 0) return /^blocked relation image is missing/;
  if (running.some((build) => build.unit === unit)) return /^maintenance (building|preparing) /;
  if (isLeader && running.length > 0) return /^maintenance build \S+ runs on /;
  const asking = world.related.filter((related) => cloudFor(world, related) !== null);
  if (asking.length === 0) return /^waiting for OpenStack credentials from /;
  const [spec] = specsOf(world);
  const served = asking.filter((related) =>
    publishedImages(publishedBy(world, related, unit)).has(tagsOf(spec)),
  );
  if (served.length < asking.length) {
    return new RegExp(`^waiting for a build: ${served.length} of ${asking.length} relations have an image`);
  }
  return new RegExp(`^active .* published to ${served.length} of ${world.related.length} relations`);
}

/** After a good build with all well: every relation with credentials is served, and every unit says so. */
export function checkServed(world: World): void {
  for (const related of world.related) {
    if (cloudFor(world, related) === null) continue;
    for (const unit of unitsOf(world)) {
      const { id } = publishedBy(world, related, unit);
      if (id === undefined)
        throw broken("no lost build", `${unit} serves relation ${related.relation} with nothing`);
    }
  }
}
