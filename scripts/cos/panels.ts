/** Panels of Grafana in a few words; types by Grafana's own schema. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LogsDedupStrategy,
  LogsSortOrder,
  PercentChangeColorMode,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VizOrientation,
  type DataSourceRef,
} from "@grafana/grafana-foundation-sdk/common";
import {
  FieldColorModeId,
  type FieldConfig,
  type GridPos,
  type Panel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Options as LogsOptions } from "@grafana/grafana-foundation-sdk/logs";
import { PromQueryFormat, type Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import type { Options as StatOptions } from "@grafana/grafana-foundation-sdk/stat";
import type { Options as TableOptions } from "@grafana/grafana-foundation-sdk/table";
import type {
  FieldConfig as SeriesField,
  Options as SeriesOptions,
} from "@grafana/grafana-foundation-sdk/timeseries";

/** Data sources by COS's variables, which its Grafana sets. */
export const PROMETHEUS: DataSourceRef = { type: "prometheus", uid: "${prometheusds}" };
/** The logs' source. */
export const LOKI: DataSourceRef = { type: "loki", uid: "${lokids}" };

/** A query as it stands in JSON; the schema's types have a mark of a function beside. */
export type Query = Omit<Dataquery, "_implementsDataqueryVariant">;

/** What all panels have. */
export interface Frame {
  readonly title: string;
  readonly description: string;
  readonly gridPos: GridPos;
}

/** A query for a line per label, or for one number. */
export interface Asked {
  readonly expr: string;
  readonly legend: string;
}

const queries = (asked: readonly Asked[], rest: Partial<Query>): Query[] =>
  asked.map(({ expr, legend }, index) => ({
    datasource: PROMETHEUS,
    refId: String.fromCharCode(65 + index),
    expr,
    legendFormat: legend,
    ...rest,
  }));

/** One big number per series, as it is now, with the series' name where it has a legend; or the name alone. */
export function stat(
  frame: Frame,
  asked: Asked,
  field: FieldConfig,
  shown: "number" | "name of the series" = "number",
): Panel {
  const named = asked.legend === "" ? BigValueTextMode.Value : BigValueTextMode.ValueAndName;
  const options: StatOptions = {
    graphMode: BigValueGraphMode.None,
    colorMode: BigValueColorMode.Background,
    justifyMode: BigValueJustifyMode.Auto,
    textMode: shown === "number" ? named : BigValueTextMode.Name,
    wideLayout: true,
    showPercentChange: false,
    percentChangeColorMode: PercentChangeColorMode.Standard,
    orientation: VizOrientation.Auto,
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
  };
  return panel("stat", frame, PROMETHEUS, queries([asked], { instant: true }), options, field);
}

/** How lines are drawn; `colors` by the name of a line. */
export interface Drawn {
  readonly isStacked: boolean;
  readonly colors: Readonly<Record<string, string>>;
}

/** Lines over time, or areas on each other. */
export function series(
  frame: Frame,
  asked: readonly Asked[],
  field: FieldConfig,
  { isStacked, colors }: Drawn,
): Panel {
  const options: SeriesOptions = {
    legend: {
      displayMode: LegendDisplayMode.Table,
      placement: LegendPlacement.Right,
      showLegend: true,
      calcs: ["lastNotNull", "max"],
    },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  const custom: SeriesField = isStacked
    ? {
        drawStyle: GraphDrawStyle.Line,
        lineWidth: 1,
        fillOpacity: 60,
        stacking: { mode: StackingMode.Normal, group: "A" },
      }
    : { drawStyle: GraphDrawStyle.Line, lineWidth: 2, fillOpacity: 8 };
  const overrides = Object.entries(colors).map(([name, fixedColor]) => ({
    matcher: { id: "byName", options: name },
    properties: [{ id: "color", value: { mode: FieldColorModeId.Fixed, fixedColor } as unknown }],
  }));
  const targets = queries(asked, { range: true });
  return {
    ...panel("timeseries", frame, PROMETHEUS, targets, options, {}),
    fieldConfig: { defaults: { ...field, custom }, overrides },
  };
}

/** A table column: the field that a query or a label gives, its title, and how it is shown. */
export interface Column {
  readonly field: string;
  readonly title: string;
  readonly shown: FieldConfig;
}

/** A row per series, the columns of several queries side by side; `by` is the label that they are joined by. */
export function table(frame: Frame, asked: readonly Asked[], by: string, columns: readonly Column[]): Panel {
  const options: TableOptions = { frameIndex: 0, showHeader: true, sortBy: [] };
  const titles = Object.fromEntries(columns.map(({ field, title }) => [field, title]));
  const order = Object.fromEntries(columns.map(({ field }, index) => [field, index]));
  return {
    ...panel(
      "table",
      frame,
      PROMETHEUS,
      queries(asked, { instant: true, format: PromQueryFormat.Table }),
      options,
      {},
    ),
    fieldConfig: {
      defaults: { custom: { align: "auto", inspect: false } },
      overrides: columns.map(({ title, shown }) => ({
        matcher: { id: "byName", options: title },
        properties: Object.entries(shown).map(([id, value]) => ({ id, value: value as unknown })),
      })),
    },
    transformations: [
      { id: "joinByField", options: { byField: by, mode: "outer" } },
      { id: "filterFieldsByName", options: { include: { names: columns.map(({ field }) => field) } } },
      { id: "organize", options: { renameByName: titles, indexByName: order, excludeByName: {} } },
    ],
  };
}

/** Log lines. */
export function logs(frame: Frame, expr: string): Panel {
  const options: LogsOptions = {
    showLabels: false,
    showCommonLabels: false,
    showTime: true,
    showLogContextToggle: true,
    wrapLogMessage: true,
    prettifyLogMessage: false,
    enableLogDetails: true,
    sortOrder: LogsSortOrder.Descending,
    dedupStrategy: LogsDedupStrategy.None,
  };
  const query: Query = { datasource: LOKI, refId: "A", expr, range: true };
  return panel("logs", frame, LOKI, [query], options, {});
}

/** The alerts that fire or are about to, by their labels. */
export function alerts(frame: Frame, matcher: string): Panel {
  const options = {
    alertInstanceLabelFilter: matcher,
    alertName: "ImageBuilder",
    dashboardAlerts: false,
    groupBy: [],
    groupMode: "default",
    maxItems: 30,
    sortOrder: 3,
    stateFilter: { firing: true, pending: true, noData: false, normal: false, error: true },
    viewMode: "list",
  };
  return panel("alertlist", frame, PROMETHEUS, [], options, {});
}

function panel(
  type: string,
  { title, description, gridPos }: Frame,
  datasource: DataSourceRef,
  targets: readonly Query[],
  options: object,
  defaults: FieldConfig,
): Panel {
  return {
    type,
    title,
    description,
    gridPos,
    datasource,
    // the schema's mark is for its own builders
    targets: targets as unknown as NonNullable<Panel["targets"]>,
    options,
    fieldConfig: { defaults, overrides: [] },
  };
}
