/** Names that the Python charm gave to things in clouds; it tagged none of them. */
import { runnerImageName, TAG } from "../names.ts";
import { ARCHITECTURES, BASES, type ImageSpec, type Owner } from "../types.ts";

const SPECS: readonly ImageSpec[] = BASES.flatMap((base) => ARCHITECTURES.map((arch) => ({ base, arch })));

/** `<app>-image-builder-<base>-<arch>`: its builder servers. */
export function pythonBuilderNames({ application }: Owner): readonly string[] {
  return SPECS.map(({ base, arch }) => `${application}-image-builder-${base}-${arch}`);
}

/** `<app>-image-builder-base-<base>-<arch>`: Ubuntu's images in the build project. */
export function pythonBaseImageNames({ application }: Owner): readonly string[] {
  return SPECS.map(({ base, arch }) => `${application}-image-builder-base-${base}-${arch}`);
}

/** `<app>-image-builder-ssh-key`: the key pair of all its builds. */
export function pythonKeyPairName({ application }: Owner): string {
  return `${application}-image-builder-ssh-key`;
}

/** What an image called `name` is of: `<app>-<base>-<arch>`, of its snapshots as of its copies; null for another name. */
export function specOfRunnerImage(name: string, owner: Owner): ImageSpec | null {
  return SPECS.find((spec) => runnerImageName(owner, spec) === name) ?? null;
}

/** Whether `tags` (server metadata or image properties) are of something that no revision of this product made. */
export function isUntagged(tags: Readonly<Record<string, string>>): boolean {
  return !(TAG.model in tags) && !(TAG.application in tags) && !(TAG.role in tags);
}
