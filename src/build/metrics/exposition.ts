/** Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). */
import { FAMILIES, PREFIX, type FamilyName, type Sample } from "./families.ts";

/**
 * The text of `samples`, families in the order of {@link FAMILIES}, samples of a family in that of their labels; every
 * sample gets `common` before its own labels. The same samples give the same bytes.
 */
export function exposition(samples: readonly Sample[], common: Readonly<Record<string, string>>): string {
  const byFamily = Map.groupBy(samples, ({ family }) => family);
  return (Object.keys(FAMILIES) as FamilyName[])
    .flatMap((family) => {
      const lines = (byFamily.get(family) ?? []).map((one) => lineOf(one, common)).toSorted();
      const name = `${PREFIX}${family}`;
      const { help, type } = FAMILIES[family];
      return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
    })
    .map((line) => `${line}\n`)
    .join("");
}

function lineOf({ family, labels, value }: Sample, common: Readonly<Record<string, string>>): string {
  const pairs = Object.entries({ ...common, ...labels }).map(
    ([label, text]) => `${label}="${text.replace(/[\\"\n]/g, (char) => ESCAPES[char] ?? char)}"`,
  );
  return `${PREFIX}${family}{${pairs.join(",")}} ${value}`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };
