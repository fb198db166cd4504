/** Storage instances: what a charm declares, made real below the fake's folder (contract 3.2, "storage"). */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Model, Unit } from "./model.ts";

/**
 * Adds `count` instances of the storage that the unit's charm calls `name`. A file system is a folder below the
 * model's storage folder (under the path the charm asks for, if it asks), a block device an empty file there.
 */
export function addStorage(model: Model, unit: Unit, name: string, count: number): void {
  const spec = unit.charm?.storage.get(name);
  if (spec === undefined) return;
  for (let added = 0; added < count; added += 1) {
    const number = model.nextStorage;
    model.nextStorage += 1;
    const id = `${name}/${number}`;
    const wish = spec.location === undefined ? id : join(spec.location, spec.most > 1 ? String(number) : "");
    const location = join(model.storageDirectory, unit.name.replace("/", "-"), wish);
    mkdirSync(spec.kind === "block" ? dirname(location) : location, { recursive: true });
    if (spec.kind === "block") writeFileSync(location, "");
    unit.storage.set(id, { id, name, kind: spec.kind, location, dying: false });
  }
}

/** Why `wanted` instances cannot be added to the unit, or `undefined`. */
export function refusedStorage(unit: Unit, wanted: ReadonlyMap<string, number>): string | undefined {
  for (const [name, count] of wanted) {
    const spec = unit.charm?.storage.get(name);
    if (spec === undefined) return `cannot add storage: charm storage "${name}" not found`;
    const own = [...unit.storage.values()].filter((instance) => instance.name === name).length;
    if (own + count > spec.most)
      return `cannot add storage: at most ${spec.most} instances of "${name}" supported, ${own + count} specified`;
  }
  return undefined;
}
