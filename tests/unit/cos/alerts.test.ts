/** Each alert of Prometheus fires for what it is about and for nothing else, as `promtool test rules` says. */
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRules } from "../../../scripts/cos/pack.ts";
import { PREFIX, type FamilyName } from "../../../src/build/metrics/families.ts";
import { rulesFor } from "../../../src/charm/cos/alert-rules.ts";
import { promtool } from "../../support/prometheus.ts";

const TOPOLOGY = {
  model: "ci",
  modelUuid: "0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10",
  application: "image-builder",
  charm: "github-runner-image-builder",
};
const OURS = {
  juju_model: TOPOLOGY.model,
  juju_model_uuid: TOPOLOGY.modelUuid,
  juju_application: TOPOLOGY.application,
  juju_unit: "image-builder/0",
  unit: "image-builder/0",
};
/** Another application, about which these rules are not. */
const THEIRS = { ...OURS, juju_application: "other", juju_unit: "other/0", unit: "other/0" };
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Tests of rules begin at the epoch and look at this second; what was before has a negative time. */
const NOW = 4 * HOUR;

type Labels = Readonly<Record<string, string>>;

/** A series that has one value all the time. */
function series(family: FamilyName | "up", labels: Labels, value: number, whose: Labels = OURS): object {
  const pairs = Object.entries({ ...whose, ...labels }).map(
    ([name, text]) => `${name}=${JSON.stringify(text)}`,
  );
  return {
    series: `${family === "up" ? "up" : PREFIX + family}{${pairs.join(",")}}`,
    values: `${value}+0x${(NOW / HOUR) * 2}`,
  };
}

const LEADER = [
  series("info", { version: "1", leader: "true" }, 1),
  series("up", { instance: "localhost:29100" }, 1),
];
const IMAGE = { image: "noble-x64", cloud: "a-1" };

interface Case {
  readonly alert: string;
  readonly what: string;
  readonly input: readonly object[];
  /** Labels of each alert that fires beside the topology's; null: none fires. */
  readonly fires: readonly Labels[] | null;
  readonly severity: "warning" | "critical";
}

const interval = series("build_interval_seconds", {}, 6 * HOUR);
const success = (ago: number, whose: Labels = OURS): object =>
  series("last_success_timestamp_seconds", {}, NOW - ago, whose);
const unit = { juju_unit: OURS.juju_unit, unit: OURS.unit };

const CASES: readonly Case[] = [
  {
    alert: "ImageBuilderNoGoodBuild",
    what: "for two intervals and an hour",
    input: [interval, success(14 * HOUR)],
    fires: [{}],
    severity: "warning",
  },
  {
    alert: "ImageBuilderNoGoodBuild",
    what: "for less than two",
    input: [interval, success(12 * HOUR)],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderNoGoodBuild",
    what: "on the old leader, but on the new one",
    input: [
      interval,
      success(3 * DAY),
      success(HOUR, { ...OURS, juju_unit: "image-builder/1", unit: "image-builder/1" }),
    ],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderNoGoodBuild",
    what: "of another application",
    input: [series("build_interval_seconds", {}, 6 * HOUR, THEIRS), success(3 * DAY, THEIRS)],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderBuildsFail",
    what: "three in a row",
    input: [...LEADER, series("failures_in_a_row", {}, 3)],
    fires: [unit],
    severity: "critical",
  },
  {
    alert: "ImageBuilderBuildsFail",
    what: "two in a row",
    input: [...LEADER, series("failures_in_a_row", {}, 2)],
    fires: null,
    severity: "critical",
  },
  {
    alert: "ImageBuilderBuildsFail",
    what: "three on a unit that leads no more",
    input: [series("info", { version: "1", leader: "false" }, 1), series("failures_in_a_row", {}, 3)],
    fires: null,
    severity: "critical",
  },
  {
    alert: "ImageBuilderBuildTooLong",
    what: "five of six hours",
    input: [
      series("running_build_start_timestamp_seconds", {}, NOW - 5 * HOUR),
      series("build_limit_seconds", {}, 6 * HOUR),
    ],
    fires: [unit],
    severity: "warning",
  },
  {
    alert: "ImageBuilderBuildTooLong",
    what: "four of six hours",
    input: [
      series("running_build_start_timestamp_seconds", {}, NOW - 4 * HOUR),
      series("build_limit_seconds", {}, 6 * HOUR),
    ],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderScheduleStalled",
    what: "a build that was due two hours ago",
    input: [series("next_build_timestamp_seconds", {}, NOW - 2 * HOUR)],
    fires: [unit],
    severity: "warning",
  },
  {
    alert: "ImageBuilderScheduleStalled",
    what: "a build that is due",
    input: [series("next_build_timestamp_seconds", {}, NOW - 60)],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderPublishedImageMissing",
    what: "an image that is gone",
    input: [...LEADER, series("published_image_found", IMAGE, 0)],
    fires: [{ ...unit, ...IMAGE }],
    severity: "critical",
  },
  {
    alert: "ImageBuilderPublishedImageMissing",
    what: "an image that is there",
    input: [...LEADER, series("published_image_found", IMAGE, 1)],
    fires: null,
    severity: "critical",
  },
  {
    alert: "ImageBuilderUploadFails",
    what: "a cloud that got the one before",
    input: [
      ...LEADER,
      series("upload_last_failure_timestamp_seconds", { cloud: "a-1" }, NOW - HOUR),
      series("upload_last_success_timestamp_seconds", { cloud: "a-1" }, NOW - DAY),
    ],
    fires: [{ ...unit, cloud: "a-1" }],
    severity: "warning",
  },
  {
    alert: "ImageBuilderUploadFails",
    what: "a cloud that never got one",
    input: [...LEADER, series("upload_last_failure_timestamp_seconds", { cloud: "a-1" }, NOW - HOUR)],
    fires: [{ ...unit, cloud: "a-1" }],
    severity: "warning",
  },
  {
    alert: "ImageBuilderUploadFails",
    what: "a cloud that got one since",
    input: [
      ...LEADER,
      series("upload_last_failure_timestamp_seconds", { cloud: "a-1" }, NOW - DAY),
      series("upload_last_success_timestamp_seconds", { cloud: "a-1" }, NOW - HOUR),
    ],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderBaseImageOld",
    what: "46 days",
    input: [series("published_image_base_timestamp_seconds", IMAGE, NOW - 46 * DAY)],
    fires: [{ ...unit, ...IMAGE }],
    severity: "warning",
  },
  {
    alert: "ImageBuilderBaseImageOld",
    what: "44 days",
    input: [series("published_image_base_timestamp_seconds", IMAGE, NOW - 44 * DAY)],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderRunnerOutdated",
    what: "21 days",
    input: [series("published_image_newer_runner_timestamp_seconds", IMAGE, NOW - 21 * DAY)],
    fires: [{ ...unit, ...IMAGE }],
    severity: "warning",
  },
  {
    alert: "ImageBuilderRunnerOutdated",
    what: "19 days",
    input: [series("published_image_newer_runner_timestamp_seconds", IMAGE, NOW - 19 * DAY)],
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderRunnerCutOff",
    what: "28 days",
    input: [series("published_image_newer_runner_timestamp_seconds", IMAGE, NOW - 28 * DAY)],
    fires: [{ ...unit, ...IMAGE }],
    severity: "critical",
  },
  {
    alert: "ImageBuilderRunnerCutOff",
    what: "26 days",
    input: [series("published_image_newer_runner_timestamp_seconds", IMAGE, NOW - 26 * DAY)],
    fires: null,
    severity: "critical",
  },
  {
    alert: "ImageBuilderNotScraped",
    what: "a unit that does not answer",
    input: [series("up", { instance: "localhost:29100" }, 0)],
    fires: [{ ...unit, instance: "localhost:29100" }],
    severity: "warning",
  },
  {
    alert: "ImageBuilderNotScraped",
    what: "a unit that answers",
    input: LEADER,
    fires: null,
    severity: "warning",
  },
  {
    alert: "ImageBuilderMetricsMissing",
    what: "an application without metrics",
    input: [series("info", { version: "1", leader: "true" }, 1, THEIRS)],
    fires: [{}],
    severity: "critical",
  },
  {
    alert: "ImageBuilderMetricsMissing",
    what: "an application with metrics",
    input: LEADER,
    fires: null,
    severity: "critical",
  },
];

const groups = rulesFor(await readRules("src/prometheus_alert_rules"), TOPOLOGY);
const rules = groups.flatMap((group) => group.rules);
const labelsOf = (alert: string): Labels => rules.find((rule) => rule.alert === alert)?.labels ?? {};

/** What promtool says when `fires` is what is expected of `alert` at the end of `input`, but for the annotations. */
async function testRule({ alert, input, fires }: Case): Promise<string> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "alerts-"));
  // what people read is tested below: promtool compares it byte for byte
  const bare = groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule) => ({ ...rule, annotations: {} })),
  }));
  await writeFile(join(folder.path, "rules.json"), JSON.stringify({ groups: bare }));
  const file = join(folder.path, "test.json");
  const expected = (fires ?? []).map((labels) => ({
    exp_labels: { ...OURS_BY_RULE, ...labels, ...labelsOf(alert) },
  }));
  await writeFile(
    file,
    JSON.stringify({
      rule_files: [join(folder.path, "rules.json")],
      evaluation_interval: "30m",
      tests: [
        {
          interval: "30m",
          input_series: input,
          alert_rule_test: [{ eval_time: `${NOW}s`, alertname: alert, exp_alerts: expected }],
        },
      ],
    }),
  );
  return await promtool(["test", "rules", file]);
}

const OURS_BY_RULE = {
  juju_model: OURS.juju_model,
  juju_model_uuid: OURS.juju_model_uuid,
  juju_application: OURS.juju_application,
};

describe("the alerts of Prometheus", { timeout: 20_000 }, () => {
  test("give promtool nothing to complain of", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "alerts-"));
    const file = join(folder.path, "rules.json");
    await writeFile(file, JSON.stringify({ groups }));
    expect(await promtool(["check", "rules", "--lint=all", "--lint-fatal", file])).toBe("");
  });

  test("have each a case in which they fire and one in which they do not", () => {
    for (const { alert } of rules) {
      const cases = CASES.filter((one) => one.alert === alert);
      const kinds = new Set(cases.map(({ fires }) => (fires === null ? "silent" : "fires")));
      expect([alert, kinds]).toEqual([alert, new Set(["fires", "silent"])]);
      for (const { severity } of cases) expect(labelsOf(alert)["severity"]).toBe(severity);
    }
  });

  test.each(
    CASES.map(
      (one) => [one.alert, one.fires === null ? "says nothing of" : "tells of", one.what, one] as const,
    ),
  )("%s %s %s", async (_alert, _verb, _what, one) => {
    expect(await testRule(one)).toBe("");
  });

  test("name what they are about, and what to do", () => {
    for (const { alert, annotations, labels } of rules) {
      expect([alert, Object.keys(annotations)]).toEqual([alert, ["summary", "description"]]);
      expect(annotations["summary"]).toMatch(/^\S.*\.$/);
      expect(labels["juju_charm"]).toBe(TOPOLOGY.charm);
    }
  });
});
