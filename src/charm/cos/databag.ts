/** The one key that a provider of cos_agent writes: `config`, in its own unit's databag (the Python library cos_agent v0). */
import { createHash } from "node:crypto";
import { rulesFor, type RuleGroup, type Topology } from "./alert-rules.ts";
import packed from "./packed.json" with { type: "json" };

/** Key of the databag. */
export const CONFIG_KEY = "config";

/** Name of the group that makes sense only where metrics are served. */
const SCRAPE = "scrape";

/**
 * The text of `config`, always the same for the same parameters: every byte that changes is an event for the agent.
 * `port` is where the unit's metrics are, null where they are not served; `logs` is a pattern of log files.
 */
export function cosConfig(topology: Topology, port: number | null, logs: string): string {
  const metrics = packed.metricsRules.filter(({ name }) => port !== null || name !== SCRAPE);
  return JSON.stringify({
    metrics_alert_rules: rules(metrics, topology),
    log_alert_rules: rules(packed.logRules, topology),
    dashboards: packed.dashboards,
    subordinate: null,
    metrics_scrape_jobs: port === null ? [] : [scrapeJob(topology.application, port)],
    log_slots: [],
    include_log_files: [logs],
    tracing_protocols: null,
  });
}

function rules(groups: readonly RuleGroup[], topology: Topology): { groups?: readonly RuleGroup[] } {
  return groups.length === 0 ? {} : { groups: rulesFor(groups, topology) };
}

function scrapeJob(application: string, port: number): object {
  const job = { metrics_path: "/metrics", static_configs: [{ targets: [`localhost:${port}`] }] };
  const hash = createHash("sha256").update(JSON.stringify(job)).digest("hex").slice(0, 8);
  return { job_name: `${application}_default_${hash}`, ...job };
}
