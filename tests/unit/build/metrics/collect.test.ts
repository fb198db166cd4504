import { describe, expect, test } from "vitest";
import { samplesOf } from "../../../../src/build/metrics/collect.ts";
import { exposition } from "../../../../src/build/metrics/exposition.ts";
import { FAMILIES, PREFIX } from "../../../../src/build/metrics/families.ts";
import { EMPTY } from "../../../../src/build/metrics/ledger.ts";
import { LEDGER, NOW, OBSERVED } from "../../../support/observed.ts";
import { promtool } from "../../../support/prometheus.ts";

const textOf = (observed = OBSERVED): string => exposition(samplesOf(observed, NOW), { unit: "builder/0" });
const linesOf = (family: string, observed = OBSERVED): readonly string[] =>
  textOf(observed)
    .split("\n")
    .filter((line) => line.startsWith(`${PREFIX}${family}{`))
    .map((line) => line.slice(PREFIX.length + family.length));

describe("the metrics", () => {
  test("are public: names, labels, values", () => {
    expect(textOf()).toMatchSnapshot();
  });

  test("give promtool nothing to complain of", async () => {
    expect(await promtool(["check", "metrics"], textOf())).toBe("");
    expect(await promtool(["check", "metrics"], textOf({ ...OBSERVED, ledger: EMPTY, published: [] }))).toBe(
      "",
    );
  });

  test("have samples of every family, with the labels that it declares", () => {
    const samples = samplesOf(OBSERVED, NOW);
    expect(new Set(samples.map(({ family }) => family))).toEqual(new Set(Object.keys(FAMILIES)));
    for (const { family, labels } of samples)
      expect(Object.keys(labels).toSorted()).toEqual([...FAMILIES[family].labels].toSorted());
  });

  test("are the same bytes for the same facts, whatever their order", () => {
    const published = OBSERVED.published.toReversed();
    expect(textOf({ ...OBSERVED, published })).toBe(textOf());
  });

  test("of a new unit hold nothing that is not known", () => {
    const text = textOf({ ...OBSERVED, ledger: EMPTY, published: [], runningSince: null, ticks: null });
    const families = [...text.matchAll(/^# TYPE github_runner_image_builder_(\S+)/gm)].map(
      ([, name]) => name,
    );
    expect(families).toEqual(["info", "builds_total", "failures_in_a_row", "build_limit_seconds"]);
  });

  test("tell since when there is a newer runner, and of a pinned newest one nothing", () => {
    const family = "published_image_newer_runner_timestamp_seconds";
    expect(linesOf(family)[0]).toBe(
      `{unit="builder/0",image="jammy-x64",cloud="other-5e6f7a8b"} ${Date.parse("2026-11-20") / 1000}`,
    );
    // as numbers, not as text
    const older = {
      ...LEDGER,
      runners: { "2.330.0": "2026-11-01T00:00:00.000Z", "2.99.0": "2026-11-20T00:00:00.000Z" },
    };
    expect(linesOf(family, { ...OBSERVED, ledger: older })).toEqual([]);
  });

  test("say that an image is found, missing, or nothing where nobody could look", () => {
    const values = linesOf("published_image_found").map((line) => line.slice(-1));
    expect(values).toEqual(["0", "1", "1", "1"]);
    const ledger = { ...LEDGER, look: { found: ["id-noble-other"], missing: [] } };
    expect(linesOf("published_image_found", { ...OBSERVED, ledger })).toHaveLength(1);
  });

  test("date a copy by the build that made its content", () => {
    const created = linesOf("published_image_created_timestamp_seconds")[0]?.split(" ").at(-1);
    expect(Number(created)).toBe(Date.parse("2026-11-24T08:00:00Z") / 1000);
  });

  test("escape what stands in labels", () => {
    const [line] = linesOf("info", { ...OBSERVED, version: 'a"b\\c\nd' });
    expect(line).toContain('version="a\\"b\\\\c\\nd"');
  });
});
