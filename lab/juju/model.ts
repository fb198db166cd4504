/** The controller's state: one model with its applications, units, relations and secrets. */
import type { Charm, ConfigValue, Endpoint } from "./charm.ts";
import type { AgentState } from "./agent-state.ts";
import type { Secret } from "./secrets.ts";

/** A status with the time of its last change, in ISO 8601. */
export interface Status {
  readonly status: string;
  readonly message: string;
  readonly since: string;
}

/** One application; `charm` is absent for a scripted one. */
export interface Application {
  readonly name: string;
  charm: Charm | undefined;
  readonly endpoints: Map<string, Endpoint>;
  /** Where the charm's files come from. */
  charmDirectory: string | undefined;
  readonly config: Map<string, ConfigValue>;
  /** Grows with each change of the config; the agents compare it with what they have delivered. */
  configVersion: number;
  charmVersion: number;
  readonly units: Map<string, Unit>;
  leader: string | undefined;
  status: Status;
  readonly statusHistory: Status[];
  version: string;
  nextUnit: number;
  readonly leaderSettings: Databag;
}

/** One unit; `agent` is absent for a unit of a scripted application. */
export interface Unit {
  readonly name: string;
  readonly application: Application;
  readonly machine: string;
  readonly address: string;
  status: Status;
  readonly statusHistory: Status[];
  agentStatus: Status;
  dying: boolean;
  state: ReadonlyMap<string, string>;
  ports: readonly PortRange[];
  storages: readonly StorageInstance[];
  readonly agent: AgentState | undefined;
}

/** Open ports of one endpoint (`""`: all of them); icmp has the range -1 to -1. */
export interface PortRange {
  readonly endpoint: string;
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly from: number;
  readonly to: number;
}

/** Storage that is attached to a unit; `id` is `name/number`. */
export interface StorageInstance {
  readonly id: string;
  readonly kind: "filesystem" | "block";
  readonly location: string;
}

/** Settings with a version that grows with each change; 0 is never written. */
export interface Databag {
  data: ReadonlyMap<string, string>;
  version: number;
}

/** A unit's part in a relation; it stays, readable, after the unit has left the scope. */
export interface Member extends Databag {
  inScope: boolean;
}

/** One side of a relation. */
export interface Side {
  readonly application: Application;
  readonly endpoint: Endpoint;
}

/** A relation between two applications, or of a peer endpoint (one side). */
export interface Relation {
  readonly id: number;
  readonly sides: readonly [Side] | readonly [Side, Side];
  readonly members: Map<string, Member>;
  readonly applicationData: Map<string, Databag>;
  dying: boolean;
}

/** The whole model. */
export interface Model {
  readonly name: string;
  readonly uuid: string;
  readonly version: string;
  readonly applications: Map<string, Application>;
  readonly relations: Map<number, Relation>;
  readonly secrets: Map<string, Secret>;
}

/** The major and minor number of the model's Juju. */
export function versionOf(model: Model): readonly [number, number] {
  const [major = 3, minor = 0] = model.version.split(/[.-]/).map(Number);
  return [major, minor];
}

/** A status that starts now. */
export function statusNow(status: string, message = ""): Status {
  return { status, message, since: new Date().toISOString() };
}

/** The unit called `name`, if there is one. */
export function findUnit(model: Model, name: string): Unit | undefined {
  return model.applications.get(name.replace(/\/.*$/, ""))?.units.get(name);
}

/** Our side of `relation`, if `application` takes part. */
export function ownSide(relation: Relation, application: Application): Side | undefined {
  return relation.sides.find((side) => side.application === application);
}

/** The other side; for a peer relation our own. */
export function otherSide(relation: Relation, application: Application): Side {
  const [first, second] = relation.sides;
  return second !== undefined && first.application === application ? second : first;
}

/** Whether the relation is one application's own. */
export function isPeer(relation: Relation): boolean {
  return relation.sides.length === 1;
}

/** The names of the units that `unit` sees in the scope of `relation`, sorted, without itself. */
export function visibleMembers(relation: Relation, unit: Unit): readonly string[] {
  const other = otherSide(relation, unit.application).application;
  return [...relation.members]
    .filter(([name, member]) => member.inScope && name !== unit.name && other.units.has(name))
    .map(([name]) => name)
    .toSorted(byUnitNumber);
}

/** Orders unit names by application, then by number. */
export function byUnitNumber(a: string, b: string): number {
  const [appA = "", appB = ""] = [a.split("/")[0], b.split("/")[0]];
  if (appA !== appB) return appA < appB ? -1 : 1;
  return Number(a.split("/")[1]) - Number(b.split("/")[1]);
}

/** Puts `unit` into the relation's scope with the settings that Juju writes itself. */
export function enterScope(relation: Relation, unit: Unit): void {
  const known = relation.members.get(unit.name);
  if (known?.inScope === true) return;
  const own = new Map([
    ["egress-subnets", `${unit.address}/32`],
    ["ingress-address", unit.address],
    ["private-address", unit.address],
  ]);
  relation.members.set(unit.name, {
    inScope: true,
    data: new Map([...own, ...(known?.data ?? [])]),
    version: (known?.version ?? 0) + 1,
  });
}

/** `bag` merged with `changes`, where an empty value deletes; the version grows only with a real change. */
export function applyChanges(bag: Databag, changes: ReadonlyMap<string, string>): void {
  const data = new Map(bag.data);
  let changed = false;
  for (const [key, value] of changes) {
    if (value === "") changed = data.delete(key) || changed;
    else if (data.get(key) !== value) {
      data.set(key, value);
      changed = true;
    }
  }
  if (!changed) return;
  bag.data = data;
  bag.version += 1;
}
