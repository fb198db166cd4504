/** The relation `image`, interface github_runner_image_v0: credentials in, image ids out, all in unit databags. */
import { registerSecret } from "../base/redact.ts";
import { ARCHITECTURES, BASES, specName, type Artifact, type ImageSpec } from "../build/types.ts";
import { cloudKey, type CloudAuth } from "../openstack/index.ts";
import { isHookFailure, type Relation, type Settings } from "../juju/index.ts";
import { addressFlaw, LONGEST_NAME, LONGEST_PASSWORD, unprintable } from "./text.ts";

/** Keys that a requirer writes; it writes all or none of them. Others are ignored. */
export const CREDENTIAL_KEYS = [
  "auth_url",
  "password",
  "project_domain_name",
  "project_name",
  "user_domain_name",
  "username",
] as const;

/** What a relation tells us. */
export interface Requirer {
  readonly relation: Relation;
  readonly application: string;
  /** Null until some remote unit has written all credentials. */
  readonly auth: CloudAuth | null;
  /** Name of that account in clouds.yaml; null with `auth`. */
  readonly cloud: string | null;
  /** A sentence that names the key and the fix when all are given and one is unusable. */
  readonly problem: string | null;
  /** What we published before. */
  readonly published: Settings;
}

/**
 * Reads one relation: its first remote unit (by name) with complete and usable credentials speaks for it. Where
 * all that are complete are unusable, the first one's fault is told.
 */
export async function readRequirer(
  relation: Relation,
  regionOf: (authUrl: string) => string | null,
): Promise<Requirer> {
  const [application, units, published] = await Promise.all([
    relation.remoteApplication(),
    relation.remoteUnits(),
    relation.ourUnitData(),
  ]);
  const bags = await Promise.all(units.toSorted().map((unit) => bagOf(relation, unit)));
  const complete = bags.map(credentialsIn).filter((given) => given !== null);
  const given = complete.find((one) => flawOf(one) === null) ?? complete[0];
  const common = { relation, application: application ?? "", published };
  if (given === undefined) return { ...common, auth: null, cloud: null, problem: null };
  registerSecret(given.password);
  const flaw = flawOf(given);
  if (flaw !== null) {
    const name = common.application || "the related charm";
    const problem = `relation with ${name}: ${flaw}; correct the OpenStack options of ${name}`;
    return { ...common, auth: null, cloud: null, problem };
  }
  const auth: CloudAuth = {
    authUrl: given.auth_url,
    projectName: given.project_name,
    projectDomainName: given.project_domain_name,
    username: given.username,
    userDomainName: given.user_domain_name,
    password: given.password,
    region: regionOf(given.auth_url),
    caFile: null,
  };
  return { ...common, auth, cloud: cloudKey(auth), problem: null };
}

type Credentials = Readonly<Record<(typeof CREDENTIAL_KEYS)[number], string>>;

/** A unit that left between two questions has no data any more. */
async function bagOf(relation: Relation, unit: string): Promise<Settings> {
  try {
    return await relation.unitData(unit);
  } catch (error) {
    if (isHookFailure(error, "settings-not-found")) return {};
    throw error;
  }
}

/** All six, or null while one is missing or blank; requirers may write them one after the other. */
function credentialsIn(bag: Settings): Credentials | null {
  const entries = CREDENTIAL_KEYS.map((key) => [key, bag[key] ?? ""] as const);
  if (entries.some(([, value]) => value.trim() === "")) return null;
  const given = Object.fromEntries(entries) as Credentials;
  return { ...given, auth_url: given.auth_url.trim() };
}

/** Why `given` cannot be used, without a word of what it holds; null when it can. */
function flawOf(given: Credentials): string | null {
  for (const key of CREDENTIAL_KEYS) {
    if (key === "auth_url") continue;
    const { [key]: value } = given;
    const most = key === "password" ? LONGEST_PASSWORD : LONGEST_NAME;
    if (value.length > most) return `${key} has ${value.length} characters, ${most} are the most`;
    const bad = unprintable(value);
    if (bad !== null) return `${key} has the character ${bad}, which cannot be printed`;
  }
  const flaw = addressFlaw(given.auth_url);
  return flaw === null ? null : `auth_url ${ADDRESS_FLAWS[flaw]}`;
}

const ADDRESS_FLAWS = {
  "no address": "is not an http or https address",
  credentials: "holds a user name or password",
  port: "has a port that is not from 1 to 65535",
  query: "has a ? or #",
} as const;

/** `x64,noble`: GitHub labels that the image's runners get; nothing else may be added. */
export function tagsOf(spec: ImageSpec): string {
  return `${spec.arch},${spec.base}`;
}

/** The image whose tags `tags` are; null when they are of none that this product builds. */
export function specOfTags(tags: string): ImageSpec | null {
  const arch = ARCHITECTURES.find((one) => tags.startsWith(`${one},`));
  const base = BASES.find((one) => tags.endsWith(`,${one}`));
  if (arch === undefined || base === undefined) return null;
  const spec = { base, arch };
  return tagsOf(spec) === tags ? spec : null;
}

/**
 * The databag for a cloud: of each image the newest artifact there, else what is published now. Null when
 * there is nothing to write: the first image owns `id`, so without it nothing is published; nothing that is
 * published is ever taken back.
 */
export function publication(
  specs: readonly ImageSpec[],
  cloud: string,
  artifacts: ReadonlyMap<string, Artifact>,
  published: Settings,
): Publication | null {
  const before = publishedImages(published);
  const images = specs.flatMap((spec) => {
    const tags = tagsOf(spec);
    const id = artifacts.get(`${cloud}/${specName(spec)}`)?.imageId ?? before.get(tags);
    return id === undefined ? [] : [{ id, tags }];
  });
  const [first] = images;
  const [firstSpec] = specs;
  if (first === undefined || firstSpec === undefined || first.tags !== tagsOf(firstSpec)) return null;
  return { id: first.id, tags: first.tags, images: formatImages(images) };
}

/** {@link publication} when it differs from what is published; null when there is nothing to write. */
export function changedPublication(
  specs: readonly ImageSpec[],
  cloud: string,
  artifacts: ReadonlyMap<string, Artifact>,
  published: Settings,
): Publication | null {
  const bag = publication(specs, cloud, artifacts, published);
  if (bag === null) return null;
  const { id, tags, images } = bag;
  const isSame = published["id"] === id && published["tags"] === tags && published["images"] === images;
  return isSame ? null : bag;
}

/** What one relation publishes: our databag without Juju's own keys. */
export interface Publication {
  readonly id: string;
  readonly tags: string;
  readonly images: string;
}

/** What our databag publishes; null when it is not (wholly) there. */
export function publicationIn({ id, tags, images }: Settings): Publication | null {
  return id === undefined || tags === undefined || images === undefined ? null : { id, tags, images };
}

/** Ids by tags, as `images` and `id`, `tags` of our own databag say. */
export function publishedImages(published: Settings): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const { id, tags, images } = published;
  if (id !== undefined && tags !== undefined) result.set(tags, id);
  if (images === undefined) return result;
  // the form that we write; a text that is not of it holds nothing that could be kept
  for (const [, imageId, imageTags] of images.matchAll(/\{"id": "([^"\\]+)", "tags": "([^"\\]+)"\}/g)) {
    if (imageId !== undefined && imageTags !== undefined) result.set(imageTags, imageId);
  }
  return result;
}

/** JSON with Python's default spacing, byte for byte what the Python charm writes: no needless change on a switch. */
export function formatImages(images: readonly { readonly id: string; readonly tags: string }[]): string {
  const items = images.map(
    ({ id, tags }) => `{"id": ${JSON.stringify(id)}, "tags": ${JSON.stringify(tags)}}`,
  );
  return `[${items.join(", ")}]`;
}
