/** The model as plain data. */
import type { LocalRelation } from "./agent-state.ts";
import { applicationStatus, type Model, type PortRange, type Status, type Unit } from "./model.ts";

/** One unit as `juju status` shows it; `failedHook` is what waits for a retry. */
export interface UnitStatus {
  readonly workload: Status;
  readonly history: readonly Status[];
  readonly agent: Status;
  readonly leader: boolean;
  readonly machine: string;
  readonly ports: readonly PortRange[];
  readonly state: Readonly<Record<string, string>>;
  /** Ids of the relations the unit is in, with the members it has been told of. */
  readonly relations: Readonly<Record<number, readonly string[]>>;
}

/** One application. */
export interface ApplicationStatus {
  readonly status: Status;
  readonly history: readonly Status[];
  readonly version: string;
  readonly units: Readonly<Record<string, UnitStatus>>;
}

/** The whole model. */
export interface ModelStatus {
  readonly model: string;
  readonly version: string;
  readonly applications: Readonly<Record<string, ApplicationStatus>>;
  readonly relations: Readonly<Record<number, readonly string[]>>;
}

/** A copy of the model's visible state. */
export function describeModel(model: Model): ModelStatus {
  const applications = [...model.applications.values()].map((application): [string, ApplicationStatus] => [
    application.name,
    {
      status: applicationStatus(application),
      history: [...application.statusHistory],
      version: application.version,
      units: Object.fromEntries([...application.units].map(([name, unit]) => [name, describeUnit(unit)])),
    },
  ]);
  return {
    model: model.name,
    version: model.version,
    applications: Object.fromEntries(applications),
    relations: Object.fromEntries(
      [...model.relations].map(([id, { sides }]) => [
        id,
        sides.map(({ application, endpoint }) => `${application.name}:${endpoint.name}`),
      ]),
    ),
  };
}

function describeUnit(unit: Unit): UnitStatus {
  const relations: readonly (readonly [number, LocalRelation])[] = [...(unit.agent?.relations ?? [])];
  return {
    workload: unit.status,
    history: [...unit.statusHistory],
    agent: unit.agentStatus,
    leader: unit.application.leader === unit.name,
    machine: unit.machine,
    ports: unit.ports,
    state: Object.fromEntries(unit.state),
    relations: Object.fromEntries(relations.map(([id, local]) => [id, [...local.members.keys()]])),
  };
}
