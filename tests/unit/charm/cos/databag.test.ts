import { describe, expect, test } from "vitest";
import { cosConfig } from "../../../../src/charm/cos/databag.ts";
import { rulesFor } from "../../../../src/charm/cos/alert-rules.ts";

const TOPOLOGY = {
  model: "ci-model",
  modelUuid: "0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10",
  application: "image-builder",
  charm: "github-runner-image-builder",
};
const LOGS = "/var/log/github-runner-image-builder/*.log";

interface Config {
  readonly metrics_scrape_jobs: readonly unknown[];
  readonly metrics_alert_rules: { readonly groups: readonly { readonly name: string }[] };
}

const parsed = (port: number | null): Config => JSON.parse(cosConfig(TOPOLOGY, port, LOGS)) as Config;
const groupsOf = (port: number | null): readonly string[] =>
  parsed(port).metrics_alert_rules.groups.map(({ name }) => name);

describe("the key config", () => {
  test("names one job, whose name follows from what it scrapes", () => {
    expect(parsed(29_100).metrics_scrape_jobs).toEqual([
      {
        job_name: "image-builder_default_e80581e5",
        metrics_path: "/metrics",
        static_configs: [{ targets: ["localhost:29100"] }],
      },
    ]);
    expect(JSON.stringify(parsed(29_101).metrics_scrape_jobs)).not.toContain("e80581e5");
  });

  test("has no job and no alert about missing metrics where they are not served", () => {
    expect(parsed(null).metrics_scrape_jobs).toEqual([]);
    const scrape = "ci_model_0c9a2e34_image_builder_scrape_alerts";
    expect(groupsOf(29_100)).toContain(scrape);
    expect(groupsOf(null)).not.toContain(scrape);
  });

  test("is the same bytes each time", () => {
    expect(cosConfig({ ...TOPOLOGY }, 29_100, LOGS)).toBe(cosConfig(TOPOLOGY, 29_100, LOGS));
  });
});

describe("rules for an application", () => {
  const rule = {
    alert: "A",
    expr: "a{%%juju_topology%%} > b{%%juju_topology%%}",
    labels: { severity: "x" },
    annotations: {},
  };

  test("match its series alone, in every selector, and name it", () => {
    const [group] = rulesFor([{ name: "g", rules: [rule] }], TOPOLOGY);
    const matchers =
      'juju_model="ci-model", juju_model_uuid="0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10", juju_application="image-builder"';
    expect(group).toEqual({
      name: "ci_model_0c9a2e34_image_builder_g_alerts",
      rules: [
        {
          ...rule,
          expr: `a{${matchers}} > b{${matchers}}`,
          labels: {
            severity: "x",
            juju_model: "ci-model",
            juju_model_uuid: TOPOLOGY.modelUuid,
            juju_application: "image-builder",
            juju_charm: "github-runner-image-builder",
          },
        },
      ],
    });
  });

  test("cannot be broken out of by a model's name", () => {
    const [group] = rulesFor([{ name: "g", rules: [rule] }], { ...TOPOLOGY, model: 'x"} or vector(1)#\n' });
    expect(group?.rules[0]?.expr).toContain(String.raw`juju_model="x\"} or vector(1)#\n"`);
    expect(group?.name).toMatch(/^[a-zA-Z0-9_:]+$/);
  });
});
