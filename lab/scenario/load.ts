/** From a state to the fake Juju's model, as it is right before the event. */
import { newAgentState, type AgentState } from "../juju/agent-state.ts";
import {
  byUnitNumber,
  enterScope,
  statusNow,
  type Application,
  type Model,
  type Relation as ModelRelation,
  type Unit,
} from "../juju/model.ts";
import { addApplication, addUnit } from "../juju/operations.ts";
import { encodeContent, NO_METADATA, type Secret as ModelSecret } from "../juju/secrets.ts";
import type { ScenarioEvent } from "./event.ts";
import type { Setting } from "./setting.ts";
import type { Databag, PeerRelation, Relation, Secret, State, Status, Storage } from "./state.ts";

/** Who runs the event, in its model. */
export interface Loaded {
  readonly model: Model;
  readonly unit: Unit;
  readonly agent: AgentState;
}

/** Folders of one run. */
export interface Folders {
  readonly agent: string;
  readonly charm: string;
  readonly tools: string;
}

/** The name of the application that stands for whoever owns a `remote` secret; no charm can be called so. */
const SOMEBODY = "-";

/** The model in which `happening` is about to run; `model` says how it is called and which Juju it has. */
export function loadState(
  setting: Setting,
  state: State,
  happening: ScenarioEvent,
  folders: Folders,
  named: Pick<Model, "name" | "uuid" | "version">,
): Loaded {
  const { charm } = setting;
  const model = emptyModel(named, folders.agent);
  const agent = newAgentState(folders.agent, folders.charm, folders.tools);
  const application = addApplication(model, setting.application, charm.endpoints.values());
  application.charm = charm;
  for (const [name, value] of Object.entries(state.config)) application.config.set(name, value);
  application.version = state.workloadVersion;
  application.status = statusOf(state.applicationStatus);
  application.statusHistory.length = 0;
  const unit = addUnits(setting, state, application, agent);
  for (const relation of state.relations) addRelation(model, unit, relation, happening);
  for (const secret of state.secrets) model.secrets.set(secret.id, secretOf(model, unit, secret));
  return { model, unit, agent };
}

/** A model without anything in it; the storage that its hooks ask for goes below `directory`. */
export function emptyModel(named: Pick<Model, "name" | "uuid" | "version">, directory: string): Model {
  return {
    ...named,
    applications: new Map(),
    relations: new Map(),
    secrets: new Map(),
    cloud: {},
    storageDirectory: directory,
    nextStorage: 0,
  };
}

function statusOf({ name, message }: Status): Unit["status"] {
  return statusNow(name, message);
}

function addUnits(setting: Setting, state: State, application: Application, agent: AgentState): Unit {
  const unit = addNamed(application, setting.unit, agent);
  unit.charm = setting.charm;
  unit.status = statusOf(state.unitStatus);
  unit.statusHistory.length = 0;
  unit.ports = state.ports;
  unit.state = new Map(Object.entries(state.stored));
  for (const { name, index, kind, location } of state.storages) {
    const id = storageId({ name, index });
    unit.storage.set(id, { id, name, kind, location, dying: false });
  }
  const peers = state.relations.flatMap((one) => (one.kind === "peer" ? Object.keys(one.peers) : []));
  for (const name of new Set(peers)) addNamed(application, name, undefined);
  for (let free = 0; application.units.size < state.plannedUnits; free += 1) {
    const name = `${application.name}/${free}`;
    if (!application.units.has(name)) addNamed(application, name, undefined);
  }
  // what is above the plan is on its way out: ours as the last one
  const names = [...application.units.keys()].filter((name) => name !== unit.name).toSorted(byUnitNumber);
  for (const name of [unit.name, ...names].slice(state.plannedUnits)) {
    const leaving = application.units.get(name);
    if (leaving !== undefined) leaving.dying = true;
  }
  application.leader = state.leader ? unit.name : names[0];
  return unit;
}

function addNamed(application: Application, name: string, agent: AgentState | undefined): Unit {
  application.nextUnit = Number(name.replace(/^.*\//, ""));
  return addUnit(application, String(application.nextUnit), agent);
}

/** `name/index`. */
export function storageId({ name, index }: Pick<Storage, "name" | "index">): string {
  return `${name}/${index}`;
}

function addRelation(
  model: Model,
  unit: Unit,
  given: Relation | PeerRelation,
  happening: ScenarioEvent,
): void {
  const { application } = unit;
  const endpoint = application.endpoints.get(given.endpoint);
  if (endpoint === undefined || unit.agent === undefined) return;
  const isPeer = given.kind === "peer";
  const other = isPeer ? application : remoteApplication(model, given.remoteApplication);
  const role = endpoint.role === "provides" ? "requires" : "provides";
  const own = { application, endpoint };
  const about = "endpoint" in happening && happening.id === given.id ? happening : undefined;
  const relation: ModelRelation = {
    id: given.id,
    sides: isPeer ? [own] : [own, { application: other, endpoint: { ...endpoint, role } }],
    members: new Map(),
    applicationData: new Map(),
    dying: about?.kind === "relation-broken",
  };
  model.relations.set(given.id, relation);
  enter(relation, unit, given.ownUnit);
  const members = new Map<string, number>();
  const others = new Map(Object.entries(isPeer ? given.peers : given.remoteUnits));
  const leaving = about?.kind === "relation-departed" ? about.remoteUnit : null;
  if (leaving !== null && !others.has(leaving)) others.set(leaving, {});
  for (const [name, data] of others) {
    enter(relation, other.units.get(name) ?? addNamed(other, name, undefined), data);
    const member = relation.members.get(name);
    // a unit that departs, or a relation that is broken, is listed no more; what was written stays readable
    if (name !== leaving && about?.kind !== "relation-broken") members.set(name, member?.version ?? 1);
    else if (member !== undefined) member.inScope = false;
  }
  setData(relation, application.name, given.ownApplication);
  if (!isPeer) setData(relation, other.name, given.remoteApplicationData);
  unit.agent.relations.set(given.id, {
    created: about?.kind !== "relation-created",
    members,
    changedPending: undefined,
    applicationVersion: 1,
  });
}

function remoteApplication(model: Model, name: string): Application {
  return model.applications.get(name) ?? addApplication(model, name, []);
}

function enter(relation: ModelRelation, unit: Unit, data: Databag): void {
  enterScope(relation, unit);
  const member = relation.members.get(unit.name);
  if (member !== undefined) member.data = new Map([...member.data, ...Object.entries(data)]);
}

function setData(relation: ModelRelation, application: string, data: Databag): void {
  relation.applicationData.set(application, { data: new Map(Object.entries(data)), version: 1 });
}

function secretOf(model: Model, unit: Unit, secret: Secret): ModelSecret {
  const { id, owner, revisions, tracked, label } = secret;
  const isOurs = "grants" in secret;
  const application = unit.application.name;
  const contents = Object.entries(revisions).map(
    ([number, content]) => [Number(number), encodeContent(Object.entries(content))] as const,
  );
  const granted = isOurs || !secret.granted ? [] : [[application, undefined] as const];
  return {
    id,
    owner: ownerOf(model, unit, owner),
    metadata: isOurs
      ? {
          ...NO_METADATA,
          label,
          description: secret.description,
          rotate: secret.rotate,
          expire: secret.expire,
        }
      : NO_METADATA,
    revisions: new Map(contents),
    latest: Math.max(...contents.map(([number]) => number)),
    grants: new Map<string, number | undefined>(isOurs ? Object.entries(secret.grants) : granted),
    consumers: new Map(tracked === null ? [] : [[unit.name, { tracked, label: isOurs ? "" : label }]]),
  };
}

function ownerOf(model: Model, unit: Unit, owner: Secret["owner"]): ModelSecret["owner"] {
  switch (owner) {
    case "user":
      return { kind: "user", name: model.name };
    case "remote":
      return { kind: "application", name: SOMEBODY };
    case "application":
      return { kind: "application", name: unit.application.name };
    case "unit":
      return { kind: "unit", name: unit.name };
  }
}
