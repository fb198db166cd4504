/** The relation `image`, interface github_runner_image_v0: credentials in, image ids out, all in unit databags. */
import { describe } from "../base/errors.ts";
import { specName, type Artifact, type ImageSpec } from "../build/types.ts";
import { cloudKey, type CloudAuth } from "../openstack/index.ts";
import type { Relation, Settings } from "../juju/index.ts";

/** Keys that a requirer writes; it writes all or none of them. Others are ignored. */
const CREDENTIAL_KEYS = [
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
  /** A sentence when the credentials are unusable. */
  readonly problem: string | null;
  /** What we published before. */
  readonly published: Settings;
}

/** Reads one relation: its first remote unit (by name) with complete credentials speaks for it. */
export async function readRequirer(
  relation: Relation,
  regionOf: (authUrl: string) => string | null,
): Promise<Requirer> {
  const [application, units, published] = await Promise.all([
    relation.remoteApplication(),
    relation.remoteUnits(),
    relation.ourUnitData(),
  ]);
  const bags = await Promise.all(units.toSorted().map((unit) => relation.unitData(unit)));
  const complete = bags.find((bag) => CREDENTIAL_KEYS.every((key) => (bag[key] ?? "") !== ""));
  const common = { relation, application: application ?? "", published };
  if (complete === undefined) return { ...common, auth: null, cloud: null, problem: null };
  const value = (key: (typeof CREDENTIAL_KEYS)[number]): string => complete[key] ?? "";
  const auth: CloudAuth = {
    authUrl: value("auth_url"),
    projectName: value("project_name"),
    projectDomainName: value("project_domain_name"),
    username: value("username"),
    userDomainName: value("user_domain_name"),
    password: value("password"),
    region: regionOf(value("auth_url")),
    caFile: null,
  };
  try {
    return { ...common, auth, cloud: cloudKey(auth), problem: null };
  } catch (error) {
    const problem = `relation with ${common.application}: ${describe(error)}`;
    return { ...common, auth: null, cloud: null, problem };
  }
}

/** `x64,noble`: GitHub labels that the image's runners get; nothing else may be added. */
export function tagsOf(spec: ImageSpec): string {
  return `${spec.arch},${spec.base}`;
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
