/** Alert rules for one application: what cosl's AlertRules makes of a charm's rules (interface cos_agent). */

/** One rule, of Prometheus or of Loki. */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Rules that are evaluated together. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Whose rules they are. */
export interface Topology {
  readonly model: string;
  readonly modelUuid: string;
  readonly application: string;
  /** Name of the charm. */
  readonly charm: string;
}

/**
 * `groups` for `topology`: alerts get its labels, expressions match its series alone, and names of groups begin with it,
 * because many applications' groups end up in one place. The unit is in none of them: one unit's rules serve all.
 */
export function rulesFor(groups: readonly RuleGroup[], topology: Topology): readonly RuleGroup[] {
  const { model, modelUuid, application, charm } = topology;
  const matched = { juju_model: model, juju_model_uuid: modelUuid, juju_application: application };
  const matchers = Object.entries(matched).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  const prefix = `${model}_${modelUuid.slice(0, 8)}_${application}`;
  return groups.map(({ name, rules }) => ({
    name: `${prefix}_${name}_alerts`.replace(/[^a-zA-Z0-9_:]/g, "_"),
    rules: rules.map((rule) => ({
      ...rule,
      expr: rule.expr.replaceAll("%%juju_topology%%", matchers.join(", ")),
      labels: { ...rule.labels, ...matched, juju_charm: charm },
    })),
  }));
}
