/** What a unit sees of its model, as plain frozen data. A test writes one, runs an event, and gets the next. */
import type { ConfigValue } from "../juju/charm.ts";
import { newSecretId } from "../juju/secrets.ts";
import { freezeCopy } from "./freeze.ts";

/** Settings of one unit or application in a relation. No value is empty: Juju deletes such a key. */
export type Databag = Readonly<Record<string, string>>;

/** A status of a unit or an application, as `status-set` takes it. */
export interface Status {
  readonly name: "active" | "blocked" | "error" | "maintenance" | "unknown" | "waiting";
  readonly message: string;
}

/** A relation with another application. Databags are without the three addresses that Juju writes by itself. */
export interface Relation {
  readonly kind: "relation";
  readonly id: number;
  readonly endpoint: string;
  readonly remoteApplication: string;
  readonly ownUnit: Databag;
  readonly ownApplication: Databag;
  /** By unit name, as `runner/0`. */
  readonly remoteUnits: Readonly<Record<string, Databag>>;
  readonly remoteApplicationData: Databag;
}

/** The relation of a peer endpoint. `peers` are the other units, by name. */
export interface PeerRelation {
  readonly kind: "peer";
  readonly id: number;
  readonly endpoint: string;
  readonly ownUnit: Databag;
  readonly ownApplication: Databag;
  readonly peers: Readonly<Record<string, Databag>>;
}

/** Content of one revision of a secret: values are text. */
export type SecretContent = Readonly<Record<string, string>>;

/** What every secret has. The newest revision is the one with the highest number. */
interface AnySecret {
  /** 20 characters; `secret:<id>` is its URI. */
  readonly id: string;
  readonly revisions: Readonly<Record<number, SecretContent>>;
  /** The revision that our unit tracks; null before its first read. */
  readonly tracked: number | null;
  /** The name by which our unit knows it; empty without one. */
  readonly label: string;
}

/** A secret that somebody else owns: the operator (`user`) or another application. */
export interface GivenSecret extends AnySecret {
  readonly owner: "user" | "remote";
  /** Whether our application may read it. */
  readonly granted: boolean;
}

/** A secret of our application, or of our unit alone. */
export interface OwnSecret extends AnySecret {
  readonly owner: "application" | "unit";
  readonly description: string;
  readonly rotate: string;
  readonly expire: string;
  /** From the name of an application or unit that may read it to the id of the relation that the grant hangs on. */
  readonly grants: Readonly<Record<string, number>>;
}

/** A secret of either kind. */
export type Secret = GivenSecret | OwnSecret;

/** One instance of a storage that is attached to our unit. */
export interface Storage {
  readonly name: string;
  readonly index: number;
  readonly kind: "filesystem" | "block";
  readonly location: string;
}

/** Open ports; `endpoint` is empty for all endpoints, icmp has the range -1 to -1. */
export interface Ports {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly from: number;
  readonly to: number;
  readonly endpoint: string;
}

/** Everything that Juju keeps for one unit. What the charm keeps in files on its machine is no part of it. */
export interface State {
  /** Options that are set; others have their defaults. */
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly leader: boolean;
  /** Units that the application is to have, ours included (`goal-state`). */
  readonly plannedUnits: number;
  readonly relations: readonly (Relation | PeerRelation)[];
  readonly secrets: readonly Secret[];
  readonly storages: readonly Storage[];
  readonly ports: readonly Ports[];
  /** What the charm keeps with `state-set`. */
  readonly stored: Readonly<Record<string, string>>;
  readonly unitStatus: Status;
  readonly applicationStatus: Status;
  readonly workloadVersion: string;
}

const UNKNOWN: Status = { name: "unknown", message: "" };

/** A frozen state: `given` on top of a lone leader without relations, secrets and config. */
export function state(given: Partial<State> = {}): State {
  return freezeCopy({
    config: {},
    leader: true,
    plannedUnits: 1,
    relations: [],
    secrets: [],
    storages: [],
    ports: [],
    stored: {},
    unitStatus: UNKNOWN,
    applicationStatus: UNKNOWN,
    workloadVersion: "",
    ...given,
  });
}

let nextRelation = 1;

/** A frozen relation of `endpoint`, with an id of its own. Without `remoteApplication` its units' names tell it, else `remote`. */
export function relation(
  endpoint: string,
  given: Partial<Omit<Relation, "kind" | "endpoint">> = {},
): Relation {
  const [unit] = Object.keys(given.remoteUnits ?? {});
  return freezeCopy({
    kind: "relation",
    id: nextRelation++,
    endpoint,
    remoteApplication: unit?.replace(/\/.*$/, "") ?? "remote",
    ownUnit: {},
    ownApplication: {},
    remoteUnits: {},
    remoteApplicationData: {},
    ...given,
  });
}

/** A frozen relation of a peer endpoint, with an id of its own. */
export function peerRelation(
  endpoint: string,
  given: Partial<Omit<PeerRelation, "kind" | "endpoint">> = {},
): PeerRelation {
  return freezeCopy({
    kind: "peer",
    id: nextRelation++,
    endpoint,
    ownUnit: {},
    ownApplication: {},
    peers: {},
    ...given,
  });
}

/** A frozen secret of the operator with `content` as its only revision, granted and not yet read. */
export function givenSecret(content: SecretContent, given: Partial<GivenSecret> = {}): GivenSecret {
  return freezeCopy({
    id: newSecretId(),
    owner: "user",
    granted: true,
    revisions: { 1: content },
    tracked: null,
    label: "",
    ...given,
  });
}

/** A frozen secret of our application with `content` as its only revision, granted to nobody. */
export function ownSecret(content: SecretContent, given: Partial<OwnSecret> = {}): OwnSecret {
  return freezeCopy({
    id: newSecretId(),
    owner: "application",
    revisions: { 1: content },
    tracked: null,
    label: "",
    description: "",
    rotate: "never",
    expire: "",
    grants: {},
    ...given,
  });
}

/** The URI under which a config option or a charm names `secret`. */
export function uriOf(secret: Secret): string {
  return `secret:${secret.id}`;
}

/** The relation of `state` with the id of `relation`, as it is there; throws RangeError when it is gone. */
export function relationIn(within: State, wanted: { readonly id: number }): Relation | PeerRelation {
  const found = within.relations.find(({ id }) => id === wanted.id);
  if (found === undefined) throw new RangeError(`cannot find relation ${wanted.id} in the state`);
  return found;
}

/** The secret of `state` with the id of `secret`, as it is there; throws RangeError when it is gone. */
export function secretIn(within: State, wanted: { readonly id: string }): Secret {
  const found = within.secrets.find(({ id }) => id === wanted.id);
  if (found === undefined) throw new RangeError(`cannot find secret ${wanted.id} in the state`);
  return found;
}

/** The newest content of a secret. */
export function newestContent({ revisions }: Secret): SecretContent {
  return revisions[Math.max(...Object.keys(revisions).map(Number))] ?? {};
}
