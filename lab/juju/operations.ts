/** What an admin does to the model: applications, units, options, relations. Each change needs a wake of the agents. */
import { AppError } from "../../src/base/errors.ts";
import type { AgentState } from "./agent-state.ts";
import { checkConfigValue, type ConfigValue, type Endpoint } from "./charm.ts";
import { configValue } from "./commands/config.ts";
import { collectRelation, leaveScope } from "./hook-effects.ts";
import {
  enterScope,
  findUnit,
  statusNow,
  type Application,
  type Model,
  type Relation,
  type Side,
  type Unit,
} from "./model.ts";
import { secretId, type Secret } from "./secrets.ts";

/** The application called `name`; throws when there is none. */
export function applicationNamed(model: Model, name: string): Application {
  const application = model.applications.get(name);
  if (application === undefined) throw new AppError(`application "${name}" not found`);
  return application;
}

/** The unit called `name`; throws when there is none. */
export function unitNamed(model: Model, name: string): Unit {
  const unit = findUnit(model, name);
  if (unit === undefined) throw new AppError(`unit "${name}" not found`);
  return unit;
}

/** The relation with this id; throws when there is none. */
export function relationWith(model: Model, id: number): Relation {
  const relation = model.relations.get(id);
  if (relation === undefined) throw new AppError(`relation ${id} not found`);
  return relation;
}

/** The secret at `uri`; throws when there is none. */
export function secretAt(model: Model, uri: string): Secret {
  const secret = model.secrets.get(secretId(uri));
  if (secret === undefined) throw new AppError(`secret "${uri}" not found`);
  return secret;
}

/** Adds an application without units. */
export function addApplication(model: Model, name: string, endpoints: Iterable<Endpoint>): Application {
  if (model.applications.has(name)) throw new AppError(`cannot add ${name}: it is there already`);
  const status = statusNow("unset");
  const application: Application = {
    name,
    charm: undefined,
    endpoints: new Map([...endpoints].map((endpoint) => [endpoint.name, endpoint])),
    charmDirectory: undefined,
    config: new Map(),
    configVersion: 0,
    charmVersion: 0,
    units: new Map(),
    leader: undefined,
    status,
    statusHistory: [status],
    version: "",
    nextUnit: 0,
    leaderSettings: { data: new Map(), version: 0 },
  };
  model.applications.set(name, application);
  return application;
}

/** Adds a unit on `machine`, whose number gives it an address; the first unit leads. */
export function addUnit(application: Application, machine: string, agent: AgentState | undefined): Unit {
  const status = statusNow("waiting", "installing agent");
  const host = Number(machine) || 0;
  const unit: Unit = {
    name: `${application.name}/${application.nextUnit}`,
    application,
    machine,
    address: `10.0.${Math.floor(host / 250)}.${(host % 250) + 1}`,
    status,
    statusHistory: [status],
    agentStatus: statusNow("allocating"),
    dying: false,
    state: new Map(),
    ports: [],
    storages: [],
    agent,
  };
  application.nextUnit += 1;
  application.units.set(unit.name, unit);
  application.leader ??= unit.name;
  return unit;
}

/** Takes a unit out of the model and of all relations. Another one leads. */
export function removeUnitNow(model: Model, unit: Unit): void {
  const { application } = unit;
  application.units.delete(unit.name);
  if (application.leader === unit.name) application.leader = application.units.keys().next().value;
  for (const relation of model.relations.values()) {
    leaveScope(relation, unit.name);
    collectRelation(model, relation);
  }
}

/** Sets options; throws for unknown ones and misfits before anything is set. */
export function setOptions(application: Application, values: Readonly<Record<string, ConfigValue>>): void {
  const checked = Object.entries(values).map(([name, value]): [string, ConfigValue] => {
    const option = application.charm?.options.get(name);
    if (option === undefined)
      throw new AppError(`unknown option "${name}" of application ${application.name}`);
    return [name, checkConfigValue(name, option.type, value)];
  });
  changeOptions(application, () => {
    for (const [name, value] of checked) application.config.set(name, value);
  });
}

/** Sets options back to their defaults. */
export function resetOptions(application: Application, names: readonly string[]): void {
  changeOptions(application, () => {
    for (const name of names) application.config.delete(name);
  });
}

/** Runs `change`; the version grows when some option's value differs then, which fires config-changed. */
function changeOptions(application: Application, change: () => void): void {
  const names = [...(application.charm?.options.keys() ?? [])];
  const before = names.map((name) => configValue(application, name));
  change();
  if (names.some((name, index) => configValue(application, name) !== before[index]))
    application.configVersion += 1;
}

/** The side that `app:endpoint` names. */
function sideOf(model: Model, text: string): Side {
  const [name = "", endpointName = ""] = text.split(":");
  const application = applicationNamed(model, name);
  const endpoint = application.endpoints.get(endpointName);
  if (endpoint === undefined)
    throw new AppError(`cannot relate ${text}: ${name} has no endpoint "${endpointName}"`);
  return { application, endpoint };
}

/** Relates two endpoints, given as `app:endpoint`. */
export function relate(model: Model, id: number, a: string, b: string): void {
  const [first, second] = [sideOf(model, a), sideOf(model, b)];
  if (first.endpoint.interface !== second.endpoint.interface) {
    throw new AppError(
      `cannot relate ${a} with ${b}: ${first.endpoint.interface} is not ${second.endpoint.interface}`,
    );
  }
  const roles = [first.endpoint.role, second.endpoint.role].toSorted().join(" ");
  if (roles !== "provides requires")
    throw new AppError(`cannot relate ${a} with ${b}: their roles are ${roles}`);
  addRelation(model, id, [first, second]);
}

/** Adds the relation of a peer endpoint, as each deployment does. */
export function addPeerRelation(
  model: Model,
  id: number,
  application: Application,
  endpoint: Endpoint,
): void {
  addRelation(model, id, [{ application, endpoint }]);
}

function addRelation(model: Model, id: number, sides: Relation["sides"]): void {
  const relation: Relation = { id, sides, members: new Map(), applicationData: new Map(), dying: false };
  model.relations.set(id, relation);
  for (const { application } of sides) {
    for (const unit of application.units.values()) if (unit.agent === undefined) enterScope(relation, unit);
  }
}

/** Starts the end of a relation; scripted units leave at once. */
export function endRelation(model: Model, id: number): void {
  const relation = relationWith(model, id);
  relation.dying = true;
  for (const name of relation.members.keys()) {
    if (findUnit(model, name)?.agent === undefined) leaveScope(relation, name);
  }
  collectRelation(model, relation);
}
