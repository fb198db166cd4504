/** A real Prometheus with our metrics: every query of the dashboard and every alert's finds the series it is about. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DASHBOARD } from "../../../scripts/cos/dashboard.ts";
import { samplesOf } from "../../../src/build/metrics/collect.ts";
import { exposition } from "../../../src/build/metrics/exposition.ts";
import { NOW, OBSERVED } from "../../support/observed.ts";
import { startPrometheus, type Prometheus, type Result } from "../../support/prometheus.ts";

const LABELS = {
  juju_model: "ci",
  juju_model_uuid: "0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10",
  juju_application: "builder",
  juju_unit: "builder/0",
};

interface Query {
  readonly expr: string;
  readonly legendFormat?: string;
}

/** What Grafana makes of its variables when all is chosen. */
const filled = (expr: string): string => expr.replace(/\$juju_\w+/g, ".*");

const queries = (DASHBOARD.panels ?? []).flatMap((panel) =>
  "targets" in panel && panel.type !== "logs"
    ? (panel.targets ?? []).map((target) => [panel.title ?? "", target as unknown as Query] as const)
    : [],
);

describe("against Prometheus", { timeout: 30_000 }, () => {
  let prometheus: Prometheus;
  beforeAll(async () => {
    const text = exposition(samplesOf(OBSERVED, NOW), { unit: "builder/0" });
    prometheus = await startPrometheus(text, LABELS);
  }, 90_000);
  afterAll(async () => await prometheus?.[Symbol.asyncDispose]());
  const ask = async (expr: string): Promise<Result> => await prometheus.query(filled(expr));

  test.each(queries)(
    "%s: %o parses and finds something, with the labels that its legend names",
    async (_title, query) => {
      // a rate needs more than one scrape
      await expect.poll(() => ask(query.expr)).not.toEqual([]);
      const result = await ask(query.expr);
      const names = [...(query.legendFormat ?? "").matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? "");
      for (const { metric } of result) expect(Object.keys(metric)).toEqual(expect.arrayContaining(names));
    },
  );

  test("a query that asks for what is not there would be found out", async () => {
    expect(await ask("github_runner_image_builder_no_such_metric")).toEqual([]);
    await expect(ask("sum by (")).rejects.toThrow("parse error");
  });

  test("the variables find the labels that COS adds", async () => {
    for (const { name, query } of DASHBOARD.templating.list ?? []) {
      if (!name.startsWith("juju_")) continue;
      const text = typeof query === "object" ? String(query["query"]) : String(query);
      const [, selector = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
      const found = await ask(`count by (${label}) (${selector})`);
      expect(found.map(({ metric }) => metric[label])).toEqual([LABELS[name as keyof typeof LABELS]]);
    }
  });

  test("the last build's number is that of its outcome", async () => {
    const [, query] = queries.find(([title]) => title === "Last build") ?? [];
    expect((await ask(query?.expr ?? "")).map(({ value }) => value[1])).toEqual(["1"]);
  });
});
