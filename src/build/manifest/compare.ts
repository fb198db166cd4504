/** What changed from one image to another. */
import { KINDS, type Component, type Kind } from "./manifest.ts";

/** A component that one of the images has not, or has in another version. */
export interface Change {
  readonly kind: Kind;
  readonly name: string;
  /** Versions, several in one text where both have several; null where there is none. */
  readonly before: string | null;
  readonly after: string | null;
}

/** The changes from `before` to `after`, by kind and name. */
export function compareContents(
  before: readonly Component[],
  after: readonly Component[],
): readonly Change[] {
  const [old, fresh] = [versions(before), versions(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .map((key) => {
      const [kind = "", name = ""] = key.split("\n");
      return { kind: kind as Kind, name, before: old.get(key) ?? null, after: fresh.get(key) ?? null };
    })
    .filter((change) => change.before !== change.after)
    .toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.name < b.name ? -1 : 1));
}

/** Versions by kind and name; packages of a second architecture are apart, as `libc6:armhf`. */
function versions(components: readonly Component[]): ReadonlyMap<string, string> {
  const main = mainArchitecture(components);
  const found = new Map<string, string[]>();
  for (const { kind, name, version, variant } of components) {
    const isForeign = kind === "deb" && variant !== "all" && variant !== main;
    const key = `${kind}\n${isForeign ? `${name}:${variant}` : name}`;
    const text = kind === "snap" ? `${version} ${variant}`.trim() : version;
    found.set(key, [...(found.get(key) ?? []), text]);
  }
  return new Map([...found].map(([key, texts]) => [key, texts.toSorted().join(", ")]));
}

function mainArchitecture(components: readonly Component[]): string {
  const dpkg = components.find(({ kind, name }) => kind === "deb" && name === "dpkg");
  return dpkg?.variant ?? "";
}
