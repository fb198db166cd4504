/** Every name and tag that this product gives to something in a cloud, in one place; each is public. */
import { createHash } from "node:crypto";
import type { ImageSpec, Owner } from "./types.ts";

/** Prefix of all owner metadata; Nova and Glance both take `.` and `_` in keys. */
const PREFIX = "image-builder.";

/** Metadata keys on servers and properties on images. */
export const TAG = {
  model: `${PREFIX}model`,
  application: `${PREFIX}application`,
  unit: `${PREFIX}unit`,
  build: `${PREFIX}build`,
  role: `${PREFIX}role`,
  base: `${PREFIX}base`,
  arch: `${PREFIX}arch`,
  sha256: `${PREFIX}sha256`,
  runnerVersion: `${PREFIX}runner-version`,
  created: `${PREFIX}created`,
  recipe: `${PREFIX}recipe`,
  serial: `${PREFIX}serial`,
  /** The build that made the content; `build` is the one that made the copy. */
  revision: `${PREFIX}revision`,
} as const;

/** What an image or server is for; an `upload` becomes a `runner` when it is verified, and is nothing worth before. */
export type Role = "builder" | "base" | "snapshot" | "upload" | "runner";

/** Owner metadata for a resource; all values are plain strings of at most 255 characters. */
export function ownerTags(owner: Owner, buildId: string, role: Role): Record<string, string> {
  return {
    [TAG.model]: owner.modelUuid,
    [TAG.application]: owner.application,
    [TAG.unit]: owner.unit,
    [TAG.build]: buildId,
    [TAG.role]: role,
  };
}

/** Whether `tags` (server metadata or image properties) say that some unit of `owner`'s application made the resource. */
export function isOfApplication(tags: Readonly<Record<string, string>>, owner: Owner): boolean {
  return tags[TAG.model] === owner.modelUuid && tags[TAG.application] === owner.application;
}

/**
 * Whether the resource with `tags` is `owner`'s to tidy up: its unit made it, or a unit of the same application
 * that is gone. What one of `otherUnits` made is theirs.
 */
export function isInherited(
  tags: Readonly<Record<string, string>>,
  owner: Owner,
  otherUnits: readonly string[],
): boolean {
  return isOfApplication(tags, owner) && !otherUnits.includes(tags[TAG.unit] ?? "");
}

/** Eight hex digits that tell this application apart from equally named ones in other models. */
export function ownerHash(owner: Owner): string {
  return createHash("sha256").update(`${owner.modelUuid}\n${owner.application}`).digest("hex").slice(0, 8);
}

/** Start of the names of all that carries no metadata, so that its name says whose it is: see {@link unitInName}. */
export function untaggedPrefix(owner: Owner): string {
  return `${owner.application}-image-builder-${ownerHash(owner)}-`;
}

/** The unit of `owner`'s application that gave `name` to a key pair or security group; null when none did. */
export function unitInName(name: string, owner: Owner): string | null {
  const prefix = untaggedPrefix(owner);
  const number = name.startsWith(prefix)
    ? /^(0|[1-9]\d*)(?:-|$)/.exec(name.slice(prefix.length))?.[1]
    : undefined;
  return number === undefined ? null : `${owner.application}/${number}`;
}

function unitNumber({ unit }: Owner): string {
  return unit.slice(unit.lastIndexOf("/") + 1);
}

/** `<app>-<base>-<arch>`: runner images; the name that deployments of the Python charm have, too. */
export function runnerImageName(owner: Owner, spec: ImageSpec): string {
  return `${owner.application}-${spec.base}-${spec.arch}`;
}

/** `<app>-image-builder-base-<base>-<arch>`: Ubuntu's cloud image in the build project. */
export function baseImageName(owner: Owner, spec: ImageSpec): string {
  return `${owner.application}-image-builder-base-${spec.base}-${spec.arch}`;
}

/** Name of the builder server and of its intermediate snapshot; unique per build and image. */
export function builderName(owner: Owner, spec: ImageSpec, buildId: string): string {
  return `${owner.application}-image-builder-${spec.base}-${spec.arch}-${buildId}`;
}

/** Name of the key pair of one image of one build. */
export function keyPairName(owner: Owner, spec: ImageSpec, buildId: string): string {
  return `${untaggedPrefix(owner)}${unitNumber(owner)}-${spec.base}-${spec.arch}-${buildId}`;
}

/** Name of the security group of this unit's builders. */
export function securityGroupName(owner: Owner): string {
  return `${untaggedPrefix(owner)}${unitNumber(owner)}`;
}
