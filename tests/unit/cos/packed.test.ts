import { readFile } from "node:fs/promises";
import { parser } from "@grafana/lezer-logql";
import { describe, expect, test } from "vitest";
import { DASHBOARD, DASHBOARD_FILE } from "../../../scripts/cos/dashboard.ts";
import { dashboardText, minified, readPacked, readRules, unpack } from "../../../scripts/cos/pack.ts";
import { PREFIX, FAMILIES } from "../../../src/build/metrics/families.ts";
import { rulesFor } from "../../../src/charm/cos/alert-rules.ts";

const TOPOLOGY = {
  model: "ci",
  modelUuid: "0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10",
  application: "b",
  charm: "c",
};
const packed = await readPacked();
const logRules = await readRules("src/loki_alert_rules");

/** Where `expr` is no LogQL, as Grafana's own grammar says; empty when it is. */
function logqlErrors(expr: string): readonly string[] {
  const errors: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from }) => {
      if (type.isError) errors.push(`at ${from}: ${expr.slice(from, from + 20)}`);
    },
  });
  return errors;
}

describe("what hooks read", () => {
  test("has the rules and the dashboard as their sources are: run npm run cos", async () => {
    expect(await readFile(new URL(`../../../${DASHBOARD_FILE}`, import.meta.url), "utf8")).toBe(
      dashboardText(),
    );
    expect(packed.metricsRules).toEqual(await readRules("src/prometheus_alert_rules"));
    expect(packed.logRules).toEqual(logRules);
    expect(packed.dashboards).toHaveLength(1);
    // by another's decompressor, because xz's versions need not give the same bytes
    expect(await unpack(packed.dashboards[0] ?? "")).toBe(minified(dashboardText()));
  });

  test("is small enough for a databag of every unit", () => {
    expect(JSON.stringify(packed).length).toBeLessThan(40_000);
  });
});

describe("the alerts of Loki", () => {
  test.each(
    rulesFor(logRules, TOPOLOGY).flatMap(({ rules }) => rules.map((rule) => [rule.alert, rule] as const)),
  )("%s is LogQL, and about this application's logs", (_alert, { expr, annotations, labels }) => {
    expect(logqlErrors(expr)).toEqual([]);
    expect(expr).toContain('juju_application="b"');
    expect(Object.keys(annotations)).toEqual(["summary", "description"]);
    expect(labels["severity"]).toMatch(/^(warning|critical)$/);
  });

  test("would be told apart from what is no LogQL", () => {
    expect(logqlErrors('sum(count_over_time({a="b"} | json [5m]) > 0')).not.toEqual([]);
  });
});

describe("the dashboard", () => {
  const panels = DASHBOARD.panels ?? [];

  test("is known by what COS's Grafana looks for", () => {
    // the digest that the Python library gives for this charm and path
    expect(DASHBOARD.uid).toBe("0a3e580e1ead0e1f74a322a744df932150bce9a6");
    expect(DASHBOARD.tags).toEqual(["charm: github-runner-image-builder"]);
    expect(DASHBOARD.templating.list?.map(({ name }) => name)).toEqual([
      "prometheusds",
      "lokids",
      "juju_model",
      "juju_model_uuid",
      "juju_application",
      "juju_unit",
    ]);
  });

  test("has panels with titles and descriptions, which do not overlap and leave no hole", () => {
    const cells = new Set<string>();
    let area = 0;
    for (const panel of panels) {
      expect(panel.title).not.toBe("");
      if (!("description" in panel)) throw new Error(`${panel.title} is a row`);
      expect(panel.description).toMatch(/\.$/);
      const { x = 0, y = 0, w = 0, h = 0 } = panel.gridPos ?? {};
      area += w * h;
      for (let column = x; column < x + w; column += 1)
        for (let row = y; row < y + h; row += 1) cells.add(`${column},${row}`);
      expect(x + w).toBeLessThanOrEqual(24);
    }
    expect(cells.size).toBe(area);
    expect(area % 24).toBe(0);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  test("asks for logs in LogQL", () => {
    const exprs = panels.flatMap(
      (panel) => ("type" in panel && panel.type === "logs" ? panel.targets : []) ?? [],
    );
    expect(exprs).toHaveLength(1);
    for (const target of exprs) {
      const { expr } = target as unknown as { readonly expr: string };
      // Grafana fills its variables in before Loki sees them
      expect(logqlErrors(expr.replace(/\$\w+/g, "x"))).toEqual([]);
    }
  });

  test("shows or alerts use every metric", async () => {
    const used = `${dashboardText()} ${JSON.stringify(packed.metricsRules)}`;
    const unused = Object.keys(FAMILIES).filter((family) => !new RegExp(`${PREFIX}${family}\\b`).test(used));
    expect(unused).toEqual(["last_failure_timestamp_seconds", "last_build_duration_seconds"]);
  });
});
