/** The parameters of our actions, in exact types; actions.yaml declares the same. */
import * as v from "valibot";
import { ConfigError } from "../../base/errors.ts";
import { specName, type ImageSpec } from "../../build/types.ts";
import type { Facts } from "../facts.ts";

const text = v.optional(v.string("must be a text"), "");
const flag = v.optional(v.boolean("must be true or false"), false);
const format = v.optional(v.picklist(["text", "json"], "must be text or json"), "text");

/** What each action takes. */
export const PARAMETERS = {
  run: v.strictObject({ bases: text, clouds: text, wait: flag }),
  format: v.strictObject({ format }),
  showBuild: v.strictObject({ build: text, format }),
  cancel: v.strictObject({ build: text }),
  rollback: v.strictObject({ image: text, to: text }),
  unpin: v.strictObject({ image: text }),
  apply: v.strictObject({ apply: flag, format }),
} as const;

/** The items of a comma-separated list, trimmed. */
export function listOf(value: string): readonly string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** The images that `names` (`noble` or `noble-x64`) mean; null for none named: all. Throws ConfigError for others. */
export function imagesNamed(
  parameter: string,
  names: readonly string[],
  specs: readonly ImageSpec[],
): readonly ImageSpec[] | null {
  if (names.length === 0) return null;
  const known = specs.map(({ base }) => base).join(", ");
  const found = names.map((name) => specs.find((spec) => spec.base === name || specName(spec) === name));
  const problems = names
    .filter((_, index) => found[index] === undefined)
    .map(
      (name) => `parameter ${parameter}: "${name}" is none of ${known}, which the option base-image names`,
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return found.filter((spec) => spec !== undefined);
}

/** The clouds that `names` (of clouds, or of related applications) mean; null for none named: all. */
export function cloudsNamed(
  names: readonly string[],
  { requirers, targets }: Pick<Facts, "requirers" | "targets">,
): readonly string[] | null {
  if (names.length === 0) return null;
  const clouds = new Set<string>();
  const problems: string[] = [];
  for (const name of names) {
    const found = targets.includes(name)
      ? [name]
      : requirers.flatMap(({ application, cloud }) =>
          application === name && cloud !== null ? [cloud] : [],
        );
    if (found.length === 0) {
      const known = [...new Set([...requirers.map(({ application }) => application), ...targets])];
      problems.push(`parameter clouds: "${name}" is none of ${known.join(", ")}`);
    }
    for (const cloud of found) clouds.add(cloud);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return [...clouds];
}
