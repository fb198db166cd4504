/** Every name and tag that this product gives to something in a cloud, in one place; each is public. */
import { createHash } from "node:crypto";
import type { ImageSpec, Owner } from "./types.ts";

/** Prefix of all owner metadata; Nova and Glance both take `.` and `_` in keys. */
const PREFIX = "image_builder_";

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
  runnerVersion: `${PREFIX}runner_version`,
  created: `${PREFIX}created`,
} as const;

/** What an image or server is for. */
export type Role = "builder" | "base" | "snapshot" | "runner";

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

/** Whether `tags` (server metadata or image properties) say that `owner`'s unit made the resource. */
export function isOwnedBy(tags: Readonly<Record<string, string>>, owner: Owner): boolean {
  return (
    tags[TAG.model] === owner.modelUuid &&
    tags[TAG.application] === owner.application &&
    tags[TAG.unit] === owner.unit
  );
}

/** Eight hex digits that tell this unit apart from equally named ones in other models. */
export function ownerHash(owner: Owner): string {
  return createHash("sha256").update(`${owner.modelUuid}\n${owner.unit}`).digest("hex").slice(0, 8);
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

/** Start of all key pair names of this unit: key pairs carry no metadata, so their name says whose they are. */
export function keyPairPrefix(owner: Owner): string {
  return `${owner.application}-image-builder-${ownerHash(owner)}-`;
}

/** Name of the key pair of one image of one build. */
export function keyPairName(owner: Owner, spec: ImageSpec, buildId: string): string {
  return `${keyPairPrefix(owner)}${spec.base}-${spec.arch}-${buildId}`;
}

/** Name of the security group of this unit's builders. */
export function securityGroupName(owner: Owner): string {
  return `${owner.application}-image-builder-${ownerHash(owner)}`;
}
