/** The model at a glance, as `juju status` prints it. */
import type { ModelStatus } from "../status.ts";

/** Applications, units (the leader has a star) and relations as aligned columns, ending in a line break. */
export function statusTable({ model, version, applications, relations }: ModelStatus): string {
  const units = Object.values(applications).flatMap((application) => Object.entries(application.units));
  const tables = [
    [
      ["App", "Version", "Status", "Units", "Message"],
      ...Object.entries(applications).map(([name, { version: own, status, units: members }]) => [
        name,
        own,
        status.status,
        String(Object.keys(members).length),
        status.message,
      ]),
    ],
    [
      ["Unit", "Workload", "Agent", "Machine", "Message"],
      ...units.map(([name, { agent, leader, machine, workload }]) => [
        leader ? `${name}*` : name,
        agent.status === "error" ? "error" : workload.status,
        agent.status === "error" ? "idle" : agent.status,
        machine,
        agent.status === "error" ? agent.message : workload.message,
      ]),
    ],
    [
      ["Relation", "Endpoints"],
      ...Object.entries(relations).map(([id, endpoints]) => [id, endpoints.join("  ")]),
    ],
  ];
  const shown = tables.filter((rows) => rows.length > 1).map(aligned);
  return `${[`Model ${model}, Juju ${version}\n`, ...shown].join("\n")}`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
