/** The charm under a sequence of steps, and what the test itself knows of it: never read from the charm. */
import type { Build, BuildState } from "../../../src/build/history.ts";
import { cloudOf, credentialsOf, relate } from "../charm-requirers.ts";
import { APPLICATION, deployBuilder, UNIT, type Deployed } from "../charm.ts";
import { ImageStore } from "./image-store.ts";
import type { Step } from "./steps.ts";

/** A related application, and what its units have written. */
export interface Related {
  readonly name: string;
  readonly relation: number;
  /** The account that each unit has written, null for none. */
  readonly accounts: Map<string, number | null>;
  /** Clouds that the relation has ever asked for. */
  readonly clouds: Set<string>;
  /** What each of our units had published when it was looked at last. */
  readonly seen: Map<string, Readonly<Record<string, string>>>;
}

/** What became of one build, as far as units that are left can know. */
export interface Remembered {
  readonly id: string;
  readonly unit: string;
  state: BuildState;
  isKnown: boolean;
}

/** A deployed charm with the test's own knowledge; dispose of it to end it. */
export interface World extends AsyncDisposable {
  readonly charm: Deployed;
  readonly store: ImageStore;
  readonly related: Related[];
  readonly remembered: Map<string, Remembered>;
  readonly config: Record<string, string | number>;
  isGranted: boolean;
  crash: Extract<Step, { readonly do: "crash" }> | null;
  /** Numbers what must differ: applications, passwords. */
  next: () => number;
}

/** A build with the unit whose machine it runs on. */
export interface PlacedBuild extends Build {
  readonly unit: string;
}

/** Deploys the charm with `units` units. Few revisions are kept, so that pruning has something to do. */
export async function openWorld(units: number): Promise<World> {
  await using cleanup = new AsyncDisposableStack();
  const config = { "base-image": "noble", "build-interval": 6, "revision-history-limit": 2 };
  const charm = cleanup.use(await deployBuilder({ config }));
  if (units > 1) {
    await charm.juju.addUnits(APPLICATION, units - 1);
    await charm.settle();
  }
  const owned = cleanup.move();
  let count = 0;
  return {
    charm,
    store: new ImageStore(),
    related: [],
    remembered: new Map(),
    config,
    isGranted: true,
    crash: null,
    next: () => (count += 1),
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

/** Our units, oldest first. */
export function unitsOf({ charm }: World): readonly string[] {
  return Object.keys(charm.juju.status().applications[APPLICATION]?.units ?? {});
}

/** The unit that leads. */
export function leaderOf({ charm }: World): string {
  const units = charm.juju.status().applications[APPLICATION]?.units ?? {};
  return Object.entries(units).find(([, { leader }]) => leader)?.[0] ?? UNIT;
}

/** Our units whose last hook failed. */
export function unitsInError({ charm }: World): readonly string[] {
  const units = charm.juju.status().applications[APPLICATION]?.units ?? {};
  return Object.entries(units).flatMap(([name, { agent }]) => (agent.status === "error" ? [name] : []));
}

/** All builds on the machines of our units, oldest first. */
export async function buildsOf(world: World): Promise<readonly PlacedBuild[]> {
  const all = await Promise.all(
    unitsOf(world).map(async (unit) =>
      (await world.charm.builds(unit)).map((build): PlacedBuild => ({ ...build, unit })),
    ),
  );
  return all.flat().toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The builds that run or are about to. */
export async function underWay(world: World): Promise<readonly PlacedBuild[]> {
  return (await buildsOf(world)).filter(({ state }) => state === "running" || state === "queued");
}

/** The account that speaks for a relation: of its first unit by name that has written one. */
export function accountOf({ accounts }: Related): number | null {
  const [first] = [...accounts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .filter(([, account]) => account !== null);
  return first?.[1] ?? null;
}

/** The name of the cloud of one of three accounts. */
export function cloudNamed({ charm }: World, account: number): string {
  return cloudOf(credentialsOf(charm, projectOf(account)));
}

const projectOf = (account: number): string => `project-${account % 3}`;

/** The cloud that a relation asks for, null without credentials. */
export function cloudFor(world: World, related: Related): string | null {
  const account = accountOf(related);
  return account === null ? null : cloudNamed(world, account);
}

/** What one unit of ours publishes to a relation, without the keys that Juju writes. */
export function publishedBy({ charm }: World, { relation }: Related, unit: string) {
  const { id, tags, images } = charm.juju.unitData(relation, unit);
  return Object.fromEntries(
    Object.entries({ id, tags, images }).filter(([, value]) => value !== undefined),
  ) as Readonly<Record<string, string>>;
}

/** Relates another application, which writes the credentials of `account` unless that is null. */
export async function relateAnother(world: World, account: number | null): Promise<void> {
  const name = `runner-${"abcdefghijklmnopqrstuvwxyz".charAt((world.next() - 1) % 26)}${"x".repeat(world.related.length)}`;
  const data = account === null ? {} : credentialsOf(world.charm, projectOf(account));
  const { relation } = await relate(world.charm, name, data);
  const related = {
    name,
    relation,
    accounts: new Map([[`${name}/0`, account]]),
    clouds: new Set<string>(),
    seen: new Map(),
  };
  world.related.push(related);
  noteCloud(world, related);
}

/** Lets a unit of a related application write the credentials of `account`; null deletes them. */
export async function writeCredentials(
  world: World,
  related: Related,
  unit: string,
  account: number | null,
  isRotated: boolean,
): Promise<void> {
  const credentials = credentialsOf(world.charm, projectOf(account ?? 0));
  const password = isRotated ? `rotated-${world.next()}-S3cret` : credentials.password;
  const data = { ...credentials, password };
  const written = account === null ? Object.fromEntries(Object.keys(data).map((key) => [key, ""])) : data;
  world.charm.juju.setUnitData(related.relation, unit, written);
  related.accounts.set(unit, account);
  noteCloud(world, related);
  await world.charm.settle();
}

/** Notes which cloud a relation asks for now: images there may stay published for as long as it lives. */
export function noteCloud(world: World, related: Related): void {
  const cloud = cloudFor(world, related);
  if (cloud !== null) related.clouds.add(cloud);
}
