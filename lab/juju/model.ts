/** The controller's state: one model with its applications, units, relations and secrets. */
import type { Charm, ConfigValue, Endpoint } from "./charm.ts";
import type { AgentState, HookStorage } from "./agent-state.ts";
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
  /** Whether its units may read the cloud's credential. */
  trusted: boolean;
  /** The files of its resources, by name. */
  readonly resources: Map<string, string>;
}

/** One unit; `agent` is absent for a unit of a scripted application. */
export interface Unit {
  readonly name: string;
  readonly application: Application;
  readonly machine: string;
  address: string;
  /** Grows with each change of the address. */
  addressVersion: number;
  /** The charm whose files the unit has; an application's newer one comes with upgrade-charm. */
  charm: Charm | undefined;
  readonly storage: Map<string, StorageInstance>;
  status: Status;
  readonly statusHistory: Status[];
  agentStatus: Status;
  dying: boolean;
  state: ReadonlyMap<string, string>;
  ports: readonly PortRange[];
  readonly agent: AgentState | undefined;
}

/** One storage instance of a unit; `id` is `data/0`. */
export interface StorageInstance extends HookStorage {
  readonly name: string;
  dying: boolean;
}

/** Open ports of one endpoint (`""`: all of them); icmp has the range -1 to -1. */
export interface PortRange {
  readonly endpoint: string;
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly from: number;
  readonly to: number;
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
  /** What `credential-get` gives to a trusted charm. */
  readonly cloud: Readonly<Record<string, unknown>>;
  /** Folder of the storage instances' mount points. */
  readonly storageDirectory: string;
  nextStorage: number;
}

/** The major, minor and patch number of the model's Juju; a tag (`4.0-beta1`) counts as patch 0. */
export function versionOf(model: Pick<Model, "version">): readonly [number, number, number] {
  const [major = 3, minor = 0, patch = 0] = model.version.split(/[.-]/).map((part) => Number(part) || 0);
  return [major, minor, patch];
}

/** Whether the model's Juju is `major.minor.patch` or newer. */
export function atLeast(model: Model, major: number, minor: number, patch = 0): boolean {
  const order = ([a, b, c]: readonly [number, number, number]): number => (a * 1000 + b) * 1000 + c;
  return order(versionOf(model)) >= order([major, minor, patch]);
}

/** What `config-changed` tells of: options, trust and addresses. Grows with each change. */
export function configVersionOf(unit: Unit): number {
  return unit.application.configVersion + unit.addressVersion;
}

/** A status that starts now. */
export function statusNow(status: string, message = ""): Status {
  return { status, message, since: new Date().toISOString() };
}

const SEVERITY = ["unknown", "terminated", "active", "waiting", "maintenance", "blocked", "error"];

/** The application's status: what its leader set, else the gravest of its units'. */
export function applicationStatus(application: Application): Status {
  if (application.status.status !== "unset") return application.status;
  const shown = [...application.units.values()].map(({ agentStatus, status }) =>
    agentStatus.status === "error" ? agentStatus : status,
  );
  const grave = ({ status }: Status): number => SEVERITY.indexOf(status);
  return shown.toSorted((a, b) => grave(b) - grave(a))[0] ?? application.status;
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
  relation.members.set(unit.name, {
    inScope: true,
    data: new Map([...addressSettings(unit), ...(known?.data ?? [])]),
    version: (known?.version ?? 0) + 1,
  });
}

/** Gives the unit another address: in its databags, and by `config-changed`. */
export function moveUnit(model: Model, unit: Unit, address: string): void {
  if (unit.address === address) return;
  unit.address = address;
  unit.addressVersion += 1;
  for (const { members } of model.relations.values()) {
    const member = members.get(unit.name);
    if (member?.inScope === true) applyChanges(member, addressSettings(unit));
  }
}

function addressSettings({ address }: Unit): Map<string, string> {
  return new Map([
    ["egress-subnets", `${address}/32`],
    ["ingress-address", address],
    ["private-address", address],
  ]);
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
