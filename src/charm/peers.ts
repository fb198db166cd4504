/**
 * The peer relation `peers`: the leader builds and decides what is published, the other units publish the same
 * (docs/decisions/0006-the-leader-builds-followers-mirror.md).
 */
import * as v from "valibot";
import type { Build } from "../build/history.ts";
import { formatPins, NO_PINS, parsePins, type Pins } from "../build/pins.ts";
import { ARCHITECTURES, BASES, BUILD_KINDS, type Artifact } from "../build/types.ts";
import { hookCommands, type HookTool, type Relation, type Settings, type Unit } from "../juju/index.ts";
import { isUnderWay, type PastBuild } from "./due.ts";
import { parseForgotten, type Forgotten } from "./forgotten.ts";
import { publicationIn, type Publication } from "./image-relation.ts";

/** Name of the endpoint. */
export const PEERS = "peers";
/** Start of the keys of the application's databag that hold what the relation with that id publishes. */
const PUBLICATION_KEY = "image-";
/** Builds that a unit tells of: two, because a second interruption in a row is told apart from a first. */
const TOLD = 2;
/** Of an error goes so much into a databag. */
const LONGEST_ERROR = 300;

const text = v.string();
const artifactsSchema = v.array(
  v.object({
    spec: v.object({ base: v.picklist(BASES), arch: v.picklist(ARCHITECTURES) }),
    cloud: text,
    imageId: text,
    sizeBytes: v.number(),
    hash: text,
    buildId: text,
    createdAt: text,
  }),
);
const buildsSchema = v.array(
  v.object({
    id: text,
    unit: text,
    kind: v.picklist(BUILD_KINDS),
    inputs: text,
    createdAt: text,
    state: v.picklist(["queued", "running", "done", "failed", "cancelled", "interrupted"]),
    targets: v.nullable(v.array(text)),
    error: v.nullable(text),
  }),
);
const idsSchema = v.array(text);
const publicationSchema = v.object({ id: text, tags: text, images: text });

/** What a unit tells of one of its builds. */
export type ToldBuild = v.InferOutput<typeof buildsSchema>[number];

/** What one unit tells the others in its databag. */
export interface UnitWord {
  /** Its last builds, oldest first. */
  readonly builds: readonly ToldBuild[];
  /** The newest that it knows of each image in each cloud. */
  readonly artifacts: readonly Artifact[];
  /** Ids that stand in its databags of the relation `image`. */
  readonly published: readonly string[];
}

/** Everything that the peer relation says. */
export interface Peers {
  /** Null on a unit that has none yet, as after an upgrade from a revision without it. */
  readonly relation: Relation | null;
  readonly isLeader: boolean;
  /** The units met so far. */
  readonly others: readonly string[];
  /** Who led when the application's databag was written last; null before. */
  readonly leader: string | null;
  /** What is published, by the id of the relation `image`. */
  readonly publications: ReadonlyMap<number, Publication>;
  /** Of all other units, and what the application's databag keeps of units that are gone. */
  readonly builds: readonly ToldBuild[];
  readonly artifacts: readonly Artifact[];
  /** Ids that other units publish at this moment. */
  readonly published: readonly string[];
  /** What leaders removed. */
  readonly forgotten: Forgotten;
  /** What leaders pinned. */
  readonly pins: Pins;
}

/** Reads the peer relation; what cannot be read (another revision wrote it) counts as not said. */
export async function readPeers({
  unit,
  tool,
}: {
  readonly unit: Unit;
  readonly tool: HookTool;
}): Promise<Peers> {
  const [isLeader, [relation]] = await Promise.all([unit.isLeader(), unit.relations(PEERS)]);
  if (relation === undefined) {
    return {
      relation: null,
      isLeader,
      others: [],
      leader: null,
      publications: new Map(),
      builds: [],
      artifacts: [],
      published: [],
      forgotten: new Map(),
      pins: NO_PINS,
    };
  }
  const [record, others] = await Promise.all([relation.ourApplicationData(), relation.remoteUnits()]);
  const bags = await Promise.all(others.map((other) => relation.unitData(other)));
  const words = [record, ...bags].map(wordIn);
  const told = new Map(
    words
      .flatMap(({ builds }) => builds)
      .filter((build) => build.unit !== unit.name)
      .map((build) => [build.id, build]),
  );
  return {
    relation,
    isLeader,
    others,
    leader: record["leader"] ?? null,
    publications: publicationsIn(record),
    builds: await withoutGone([...told.values()].toSorted(byId), others, tool),
    artifacts: words.flatMap(({ artifacts }) => artifacts),
    published: words.flatMap(({ published }) => published),
    forgotten: parseForgotten(record["forgotten"]),
    pins: parsePins(record["pins"]),
  };
}

/** `builds`, where those that ran on a unit that is gone are interrupted; `met` are units that surely are there. */
async function withoutGone(
  builds: readonly ToldBuild[],
  met: readonly string[],
  tool: HookTool,
): Promise<readonly ToldBuild[]> {
  const isDoubtful = (build: ToldBuild): boolean => isUnderWay(build) && !met.includes(build.unit);
  if (!builds.some(isDoubtful)) return builds;
  const units = await applicationUnits(tool);
  return builds.map((build) =>
    isDoubtful(build) && !units.includes(build.unit) ? { ...build, state: "interrupted" } : build,
  );
}

/** All units of our application, those that this unit has not met yet included. */
export async function applicationUnits(tool: HookTool): Promise<readonly string[]> {
  const { units } = await hookCommands.goalState(tool);
  return Object.keys(units);
}

/** What `builds` of this unit are to the others. */
export function tellBuilds(builds: readonly Build[], unit: string): readonly ToldBuild[] {
  return builds
    .filter(isToldOf)
    .slice(-TOLD)
    .map(({ id, request, state, targets, errors }) => ({
      id,
      unit,
      kind: request.kind,
      inputs: request.inputs,
      createdAt: request.createdAt,
      // one write less, and all the same to others
      state: state === "queued" || state === "waiting" ? "running" : state,
      targets: targets === null ? null : [...targets],
      error: errors.length === 0 ? null : errors.join("; ").slice(0, LONGEST_ERROR),
    }));
}

/** What waits is not told: another leader would wait for it. */
function isToldOf({ state }: Build): boolean {
  return state !== "waiting";
}

/** The databag of a unit that says `word`. */
export function formatWord({ builds, artifacts, published }: UnitWord): Settings {
  return {
    builds: JSON.stringify(builds),
    artifacts: JSON.stringify(artifacts),
    published: JSON.stringify(published.toSorted()),
  };
}

/**
 * Changes that make the application's databag say `leader`, `publications` and, unless it is null, `word`; keys
 * of relations that are gone are removed.
 */
export function recordChanges(
  current: Settings,
  leader: string,
  publications: ReadonlyMap<number, Publication>,
  word: (Pick<UnitWord, "builds" | "artifacts"> & { readonly forgotten: Forgotten }) | null,
  pins: Pins,
): Readonly<Record<string, string | null>> {
  const gone = Object.keys(current).filter((key) => key.startsWith(PUBLICATION_KEY));
  return {
    ...Object.fromEntries(gone.map((key) => [key, null])),
    leader,
    ...(pins.at === "" ? {} : { pins: formatPins(pins) }),
    ...(word === null
      ? {}
      : {
          builds: JSON.stringify(word.builds),
          artifacts: JSON.stringify(word.artifacts),
          forgotten: JSON.stringify(Object.fromEntries(word.forgotten)),
        }),
    ...Object.fromEntries(
      [...publications].map(([id, { id: image, tags, images }]) => [
        `${PUBLICATION_KEY}${id}`,
        JSON.stringify({ id: image, tags, images }),
      ]),
    ),
  };
}

/** A build of another unit, as {@link dueBuild} wants it; `now` tells whether its unit may still be at it. */
export function asPastBuild(told: ToldBuild, now: Date, limitMs: number): PastBuild {
  // a unit that died in mid-build says nothing more; nobody waits for it for ever
  const isStale = isUnderWay(told) && now.getTime() - Date.parse(told.createdAt) > limitMs;
  const { id, kind, inputs, targets, createdAt } = told;
  return {
    id,
    state: isStale ? "interrupted" : told.state,
    targets,
    isResumable: false,
    request: { kind, inputs, createdAt, access: null, secretsDigest: null },
  };
}

/** Queues what the leader recorded for each relation `image` where our databag differs; true when it does. */
export async function mirror(unit: Unit, { publications }: Peers): Promise<boolean> {
  const relations = await unit.relations("image");
  const changed = await Promise.all(
    relations.map(async (relation) => {
      const wanted = publications.get(relation.id);
      if (wanted === undefined) return false;
      const ours = publicationIn(await relation.ourUnitData());
      const isSame = ours?.id === wanted.id && ours.tags === wanted.tags && ours.images === wanted.images;
      if (!isSame) relation.setUnitData({ ...wanted });
      return !isSame;
    }),
  );
  return changed.includes(true);
}

function wordIn(bag: Settings): UnitWord {
  return {
    builds: parse(buildsSchema, bag["builds"]) ?? [],
    artifacts: parse(artifactsSchema, bag["artifacts"]) ?? [],
    published: parse(idsSchema, bag["published"]) ?? [],
  };
}

function publicationsIn(record: Settings): ReadonlyMap<number, Publication> {
  return new Map(
    Object.entries(record).flatMap(([key, value]) => {
      const id = key.startsWith(PUBLICATION_KEY) ? Number(key.slice(PUBLICATION_KEY.length)) : Number.NaN;
      const publication = parse(publicationSchema, value);
      return Number.isInteger(id) && publication !== null ? [[id, publication] as const] : [];
    }),
  );
}

function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  json: string | undefined,
): v.InferOutput<Schema> | null {
  if (json === undefined) return null;
  try {
    const result = v.safeParse(schema, JSON.parse(json));
    return result.success ? result.output : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const byId = (a: ToldBuild, b: ToldBuild): number => (a.id < b.id ? -1 : 1);
