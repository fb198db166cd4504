/** The charm and an agent of the Canonical Observability Stack, a subordinate on the unit's machine. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isMissing } from "../../src/base/files.ts";
import { NOBLE } from "../support/charm-builds.ts";
import { cloudOf, credentialsOf, deployRelated, type Requirer } from "../support/charm-requirers.ts";
import { APPLICATION, MODEL_UUID, UNIT, type Deployed } from "../support/charm.ts";

const ENDPOINT = "cos-agent";

/** What the Python library cos_agent v0 reads from the key `config` (CosAgentProviderUnitData). */
interface ProviderData {
  readonly metrics_alert_rules: {
    readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
  };
  readonly log_alert_rules: ProviderData["metrics_alert_rules"];
  readonly dashboards: readonly string[];
  readonly metrics_scrape_jobs: readonly unknown[];
  readonly include_log_files: readonly string[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One deployment goes through all tests of this file, in their order. */
describe("an agent that is related", () => {
  let charm: Deployed;
  let runner: Requirer;
  let relation: number;

  beforeAll(async () => {
    const related = await deployRelated();
    ({ charm, runner } = related);
    const ids = { [related.cloud]: "image-1" };
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids }],
    });
    await charm.wake();
    charm.juju.addScriptedApplication("agent", {
      endpoints: { [ENDPOINT]: { interface: "cos_agent", role: "requires" } },
      units: 1,
    });
    relation = await charm.juju.relate(`${APPLICATION}:${ENDPOINT}`, `agent:${ENDPOINT}`);
    await charm.settle();
  }, 120_000);
  afterAll(async () => await charm?.[Symbol.asyncDispose]());

  const config = (): string => charm.juju.unitData(relation, UNIT)["config"] ?? "";
  const writes = (from: number): readonly unknown[] =>
    charm.calls("relation-set", from).filter(({ words }) => words[1]?.startsWith(`${ENDPOINT}:`));

  it("gets one key with all that the library reads", () => {
    const own = ["egress-subnets", "ingress-address", "private-address"];
    const keys = Object.keys(charm.juju.unitData(relation, UNIT)).filter((key) => !own.includes(key));
    expect(keys).toEqual(["config"]);
    const data = JSON.parse(config()) as ProviderData;
    expect(Object.keys(data)).toEqual([
      "metrics_alert_rules",
      "log_alert_rules",
      "dashboards",
      "subordinate",
      "metrics_scrape_jobs",
      "log_slots",
      "include_log_files",
      "tracing_protocols",
    ]);
    // nothing serves metrics where systemd does not run, and then nobody is to miss them
    expect(data.metrics_scrape_jobs).toEqual([]);
    expect(data.include_log_files).toEqual([`${charm.paths.logs}/*.log`]);
    const groups = [...data.metrics_alert_rules.groups, ...data.log_alert_rules.groups];
    expect(groups.map(({ name }) => name)).toEqual([
      "test_0c9a2e34_image_builder_builds_alerts",
      "test_0c9a2e34_image_builder_images_alerts",
      "test_0c9a2e34_image_builder_logs_alerts",
    ]);
    for (const { expr, labels } of groups.flatMap(({ rules }) => rules)) {
      expect(expr).not.toContain("%%");
      expect(expr).toContain(
        `juju_model="test", juju_model_uuid="${MODEL_UUID}", juju_application="${APPLICATION}"`,
      );
      expect(labels).toMatchObject({
        juju_model: "test",
        juju_model_uuid: MODEL_UUID,
        juju_application: APPLICATION,
        juju_charm: "github-runner-image-builder",
      });
    }
    expect(charm.failures()).toEqual([]);
  });

  it("gets a dashboard as the library unpacks it: base64 of xz of JSON", () => {
    const { dashboards } = JSON.parse(config()) as ProviderData;
    const texts = dashboards.map((packed) =>
      execFileSync("xz", ["--decompress", "--stdout"], { input: Buffer.from(packed, "base64") }).toString(),
    );
    expect(texts.map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { title: "GitHub runner image builder", tags: ["charm: github-runner-image-builder"] },
    ]);
  });

  it("hears nothing while nothing changes, and neither do those who run runners", async () => {
    const from = charm.mark();
    const before = config();
    await charm.configure({ "revision-history-limit": 4 });
    await charm.wake();
    for (const _ of [1, 2]) await charm.updateStatus();
    expect(writes(from)).toEqual([]);
    expect(charm.publications(from)).toEqual([]);
    expect(config()).toBe(before);
    expect(await charm.updateStatusCommands()).toEqual(["secret-get", "status-set"]);
  });

  it("finds metrics of the builds in a file, whoever serves it", async () => {
    const lines = (await readFile(charm.paths.metricsFile, "utf8")).split("\n");
    const cloud = cloudOf(credentialsOf(charm, "runner-a"));
    const labels = `unit="${UNIT}",image="noble-x64",cloud="${cloud}"`;
    const prefix = "github_runner_image_builder_";
    expect(lines).toContain(`${prefix}builds_total{unit="${UNIT}",kind="build",outcome="done"} 1`);
    expect(lines).toContain(
      `${prefix}published_image_info{${labels},id="image-1",runner_version="",base_serial=""} 1`,
    );
    expect(lines).toContain(`${prefix}published_image_size_bytes{${labels}} 1`);
    expect(lines).toContain(`${prefix}failures_in_a_row{unit="${UNIT}"} 0`);
    expect(lines.some((line) => line.startsWith(`${prefix}next_build_timestamp_seconds{`))).toBe(true);
    expect(runner.bag()["id"]).toBe("image-1");
  });

  it("has the record of a finished build in the model's log, once", () => {
    const records = charm.log().filter((line) => line.includes('"log_type":"image_build"'));
    expect(records).toHaveLength(1);
    expect(JSON.parse(records[0]?.replace(/^\w+ /, "") ?? "")).toMatchObject({
      log_type: "image_build",
      outcome: "done",
      arch: "x64",
      bases: ["noble"],
      cloud_images_count: 1,
    });
  });

  it("loses its relation without a trace, and a unit that goes takes its metrics along", async () => {
    await charm.juju.removeRelation(relation);
    await charm.settle();
    await charm.juju.removeUnit(UNIT);
    await charm.settle();
    await expect(readFile(charm.paths.metricsFile)).rejects.toSatisfy(isMissing);
    expect(charm.failures()).toEqual([]);
  });
});
