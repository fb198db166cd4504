/** The dashboard, as data that Grafana's own types check; `scripts/cos.ts` writes it as JSON. */
import { createHash } from "node:crypto";
import {
  DashboardCursorSync,
  FieldColorModeId,
  MappingType,
  ThresholdsMode,
  VariableHide,
  VariableRefresh,
  VariableSort,
  VariableType,
  type Dashboard,
  type FieldConfig,
  type Panel,
  type ValueMapping,
  type VariableModel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PREFIX, type FamilyName } from "../../src/build/metrics/families.ts";
import type { Outcome } from "../../src/build/metrics/ledger.ts";
import { alerts, logs, PROMETHEUS, series, stat, table, type Frame } from "./panels.ts";

const CHARM = "github-runner-image-builder";
/** Where the dashboard lies in the charm; its uid is made from it. */
export const DASHBOARD_FILE = "src/grafana_dashboards/image-builder.json";

/** Juju's labels, in the order that each narrows the next. */
const TOPOLOGY = ["juju_model", "juju_model_uuid", "juju_application", "juju_unit"] as const;
const MATCHERS = TOPOLOGY.map((label) => `${label}=~"$${label}"`).join(", ");
const BY_APPLICATION = "juju_model_uuid, juju_application";

/** A selector of our metrics, by the dashboard's variables. */
const of = (family: FamilyName, more = ""): string => `${PREFIX}${family}{${MATCHERS}${more}}`;
/** The same of the units that lead: others keep what they saw last. */
function ofLeader(family: FamilyName, more = ""): string {
  return `${of(family, more)} and on (juju_model_uuid, unit) ${of("info", ', leader="true"')}`;
}

const place = (x: number, y: number, w: number, h: number): Frame["gridPos"] => ({ x, y, w, h });

/** Green, from `warn` on orange, from `bad` on red. */
function risky(unit: string, warn: number, bad: number): FieldConfig {
  return {
    unit,
    color: { mode: FieldColorModeId.Thresholds },
    thresholds: {
      mode: ThresholdsMode.Absolute,
      steps: [
        { value: null, color: "green" },
        { value: warn, color: "orange" },
        { value: bad, color: "red" },
      ],
    },
    noValue: "–",
  };
}

const plain = (unit: string): FieldConfig => ({
  unit,
  color: { mode: FieldColorModeId.Fixed, fixedColor: "blue" },
  noValue: "–",
});
const HOUR = 3600;
const DAY = 24 * HOUR;

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  done: "green",
  failed: "red",
  interrupted: "orange",
  cancelled: "blue",
};
const OUTCOME_NAMES = Object.keys(OUTCOMES) as Outcome[];
/** A number per outcome, because a stat is colored by its value. */
const OUTCOME_NUMBERS: ValueMapping = {
  type: MappingType.ValueToText,
  options: Object.fromEntries(
    OUTCOME_NAMES.map((outcome, index) => [
      String(index + 1),
      { text: outcome, color: OUTCOMES[outcome], index },
    ]),
  ),
};
const LAST_OUTCOME = OUTCOME_NAMES.map(
  (outcome, index) =>
    `${index + 1} * max by (${BY_APPLICATION}) (${ofLeader("last_build_outcome", `, outcome="${outcome}"`)})`,
).join(" + ");

const statRow: readonly Panel[] = [
  stat(
    {
      title: "Age of images",
      description: "The oldest published copy of each image.",
      gridPos: place(0, 0, 6, 5),
    },
    {
      expr: `max by (image) (time() - ${of("published_image_created_timestamp_seconds")})`,
      legend: "{{image}}",
    },
    risky("s", 2 * DAY, 7 * DAY),
  ),
  stat(
    {
      title: "Last build",
      description: "How the newest build ended.",
      gridPos: place(6, 0, 3, 5),
    },
    { expr: LAST_OUTCOME, legend: "" },
    { mappings: [OUTCOME_NUMBERS], noValue: "none yet" },
  ),
  stat(
    { title: "Next build in", description: "Until the schedule fires.", gridPos: place(9, 0, 3, 5) },
    { expr: `min(${of("next_build_timestamp_seconds")}) - time()`, legend: "" },
    plain("s"),
  ),
  stat(
    {
      title: "Age of base images",
      description: "Ubuntu's images that the published ones are made from, by their serials.",
      gridPos: place(12, 0, 4, 5),
    },
    {
      expr: `max by (image) (time() - ${of("published_image_base_timestamp_seconds")})`,
      legend: "{{image}}",
    },
    risky("s", 30 * DAY, 45 * DAY),
  ),
  stat(
    {
      title: "Runner",
      description: "Versions of the GitHub runner in the published images.",
      gridPos: place(16, 0, 4, 5),
    },
    {
      expr: `count by (runner_version) (${of("published_image_info", ', runner_version!=""')})`,
      legend: "{{runner_version}}",
    },
    plain("none"),
    "name of the series",
  ),
  stat(
    {
      title: "Failures in a row",
      description: "Builds that failed since the last good one.",
      gridPos: place(20, 0, 4, 5),
    },
    { expr: `max by (${BY_APPLICATION}) (${ofLeader("failures_in_a_row")})`, legend: "" },
    risky("none", 1, 3),
  ),
];

const panels: readonly Panel[] = [
  ...statRow,
  series(
    {
      title: "Duration by phase",
      description: "Of the newest build, the slowest image in each phase.",
      gridPos: place(0, 5, 14, 10),
    },
    [{ expr: `max by (phase) (${ofLeader("last_build_phase_seconds")})`, legend: "{{phase}}" }],
    { unit: "s" },
    { isStacked: true, colors: {} },
  ),
  series(
    {
      title: "Builds per day",
      description: "By outcome, in the day before.",
      gridPos: place(14, 5, 10, 10),
    },
    [{ expr: `sum by (outcome) (increase(${of("builds_total")}[1d]))`, legend: "{{outcome}}" }],
    { unit: "short", decimals: 0, min: 0 },
    { isStacked: true, colors: OUTCOMES },
  ),
  table(
    {
      title: "Published images",
      description: "What stands in the relations, by image and cloud.",
      gridPos: place(0, 15, 14, 8),
    },
    [
      {
        expr: keyed(of("published_image_info"), "image", "cloud", "id", "runner_version", "base_serial"),
        legend: "",
      },
      { expr: keyed(of("published_image_size_bytes")), legend: "" },
      { expr: keyed(`time() - ${of("published_image_created_timestamp_seconds")}`), legend: "" },
    ],
    "key",
    [
      { field: "image", title: "Image", shown: {} },
      { field: "cloud", title: "Cloud", shown: {} },
      { field: "id", title: "ID", shown: {} },
      { field: "runner_version", title: "Runner", shown: {} },
      { field: "base_serial", title: "Base", shown: {} },
      { field: "Value #B", title: "Size", shown: { unit: "bytes" } },
      { field: "Value #C", title: "Age", shown: { unit: "s" } },
    ],
  ),
  alerts(
    { title: "Alerts", description: "What fires or is about to.", gridPos: place(14, 15, 10, 8) },
    '{juju_application=~"$juju_application", juju_model_uuid=~"$juju_model_uuid"}',
  ),
  series(
    {
      title: "Since the last upload",
      description:
        "By cloud: how long ago it got an image. A line that only rises is a cloud that gets none.",
      gridPos: place(0, 23, 12, 8),
    },
    [
      {
        expr: `min by (cloud) (time() - ${of("upload_last_success_timestamp_seconds")})`,
        legend: "{{cloud}}",
      },
    ],
    { unit: "s", min: 0 },
    { isStacked: false, colors: {} },
  ),
  series(
    {
      title: "Left and reaped",
      description:
        "Things that the newest build could not delete, and things of dead builds that later ones deleted.",
      gridPos: place(12, 23, 12, 8),
    },
    [
      { expr: `sum(${ofLeader("last_build_leftovers")})`, legend: "left by the newest build" },
      {
        expr: `sum by (kind) (increase(${of("orphans_reaped_total")}[1d]))`,
        legend: "reaped per day: {{kind}}",
      },
    ],
    { unit: "short", decimals: 0, min: 0 },
    { isStacked: false, colors: {} },
  ),
  logs(
    { title: "Builders' logs", description: "One JSON object per line.", gridPos: place(0, 31, 24, 10) },
    `{juju_model_uuid=~"$juju_model_uuid", juju_application=~"$juju_application", filename=~".*/github-runner-image-builder/.+[.]log"} | json | line_format "{{.level}} {{.image}} {{.msg}} {{.err_message}}"`,
  ),
];

/** A series per row, with one label that rows are joined by and no more than `labels` beside it: columns have one name each. */
function keyed(expr: string, ...labels: readonly string[]): string {
  return `max by (${["key", ...labels].join(", ")}) (label_join(${expr}, "key", " ", "image", "cloud", "unit"))`;
}

function topologyVariable(name: (typeof TOPOLOGY)[number], index: number): VariableModel {
  const earlier = TOPOLOGY.slice(0, index).map((label) => `${label}=~"$${label}"`);
  const query = `label_values(${PREFIX}info{${earlier.join(", ")}}, ${name})`;
  return {
    type: VariableType.Query,
    name,
    label: name.replace("juju_", "Juju ").replace("_", " "),
    datasource: PROMETHEUS,
    query: { query, refId: name },
    definition: query,
    refresh: VariableRefresh.OnTimeRangeChanged,
    sort: VariableSort.AlphabeticalAsc,
    includeAll: true,
    // also where nobody adds Juju's labels
    allValue: ".*",
    multi: true,
    current: { selected: true, text: "All", value: "$__all" },
  };
}

function sourceVariable(name: string, query: string): VariableModel {
  return {
    type: VariableType.Datasource,
    name,
    label: `${query[0]?.toUpperCase()}${query.slice(1)}`,
    query,
    hide: VariableHide.DontHide,
    refresh: VariableRefresh.OnDashboardLoad,
    includeAll: false,
    multi: false,
  };
}

/** As a charm library that reads the file would name it: shake256 of charm and path, 40 characters. */
function uidOf(path: string): string {
  return createHash("shake256", { outputLength: 20 }).update(`${CHARM}-${path}`).digest("hex");
}

/** The dashboard. */
export const DASHBOARD: Dashboard = {
  uid: uidOf(DASHBOARD_FILE),
  title: "GitHub runner image builder",
  description: "Images for self-hosted runners: how old they are, how builds go, and which cloud has what.",
  tags: [`charm: ${CHARM}`],
  timezone: "browser",
  editable: true,
  graphTooltip: DashboardCursorSync.Crosshair,
  time: { from: "now-7d", to: "now" },
  refresh: "1m",
  schemaVersion: 39,
  version: 1,
  annotations: { list: [] },
  templating: {
    list: [
      sourceVariable("prometheusds", "prometheus"),
      sourceVariable("lokids", "loki"),
      ...TOPOLOGY.map(topologyVariable),
    ],
  },
  panels: panels.map((one, index) => ({ ...one, id: index + 1 })),
};
