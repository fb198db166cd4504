/** One run of a hook, an action or `juju-exec`: who it is, and the writes that wait for its end (contract 0.3, 1.4). */
import { randomBytes } from "node:crypto";
import type { AgentState, HookRelation, HookSecret } from "./agent-state.ts";
import {
  applyChanges,
  type Databag,
  type Model,
  type PortRange,
  type Relation,
  type StorageInstance,
  type Unit,
} from "./model.ts";
import { addRevision, mayManage, type Secret, type SecretContent, type SecretMetadata } from "./secrets.ts";

/** A change of a secret that waits for the commit. */
export interface SecretChange {
  metadata: Partial<SecretMetadata>;
  content: SecretContent | undefined;
}

/** Everything that becomes visible in one step when the run is committed. */
export interface Pending {
  readonly unitSettings: Map<number, Map<string, string>>;
  readonly applicationSettings: Map<number, Map<string, string>>;
  state: ReadonlyMap<string, string> | undefined;
  ports: readonly PortRange[] | undefined;
  readonly newSecrets: Map<string, Secret>;
  readonly secretChanges: Map<string, SecretChange>;
  readonly grants: { readonly id: string; readonly subject: string; readonly relation: number }[];
  readonly revokes: { readonly id: string; readonly subjects: readonly string[] }[];
  readonly removals: { readonly id: string; readonly revision: number | undefined }[];
}

/** What an action has said so far. */
export interface ActionRun {
  readonly id: string;
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly results: Record<string, unknown>;
  readonly log: string[];
  failure: string | undefined;
}

/** One run. `stop` ends its process (`juju-reboot --now`). */
export interface HookContext {
  readonly id: string;
  readonly unit: Unit;
  readonly agent: AgentState;
  readonly kind: "hook" | "action" | "exec";
  /** Hook or action name, `juju-exec` for a command. */
  readonly name: string;
  readonly relation: HookRelation | undefined;
  readonly secret: HookSecret | undefined;
  readonly storage: StorageInstance | undefined;
  readonly action: ActionRun | undefined;
  readonly pending: Pending;
  reboot: "no" | "after" | "now";
  stop: () => void;
}

/** A fresh context with an id of its own. */
export function newContext(
  given: Pick<HookContext, "unit" | "agent" | "kind" | "name" | "relation" | "secret" | "storage" | "action">,
): HookContext {
  const middle = given.kind === "exec" ? "run-commands" : given.name;
  return {
    ...given,
    id: `${given.unit.name}-${middle}-${randomBytes(16).toString("hex")}`,
    pending: {
      unitSettings: new Map(),
      applicationSettings: new Map(),
      state: undefined,
      ports: undefined,
      newSecrets: new Map(),
      secretChanges: new Map(),
      grants: [],
      revokes: [],
      removals: [],
    },
    reboot: "no",
    stop: () => {},
  };
}

/** `committed` with this run's own pending changes on top: what the run itself reads back. */
export function withPending(
  committed: Databag | undefined,
  changes: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, string> {
  const bag = { data: committed?.data ?? new Map<string, string>(), version: 0 };
  applyChanges(bag, changes ?? new Map());
  return bag.data;
}

/** The databag of an application in `relation`, made on first use. */
export function applicationBag(relation: Relation, name: string): Databag {
  const known = relation.applicationData.get(name);
  if (known !== undefined) return known;
  const made: Databag = { data: new Map(), version: 0 };
  relation.applicationData.set(name, made);
  return made;
}

/** Why the controller refuses to commit `context`, or `undefined` when it takes it. */
export function refusal(context: HookContext): string | undefined {
  const { unit, pending } = context;
  const leader = unit.application.leader === unit.name;
  if (pending.applicationSettings.size > 0 && !leader) {
    return `updating application settings: checking leadership continuity: "${unit.name}" is not leader of "${unit.application.name}"`;
  }
  if ([...pending.newSecrets.values()].some(({ owner }) => owner.kind === "application") && !leader) {
    return `creating secrets: "${unit.name}" is not leader of "${unit.application.name}"`;
  }
  return undefined;
}

/** Makes all pending writes of `context` visible. Call {@link refusal} first. */
export function commit(model: Model, context: HookContext): void {
  const { unit, pending } = context;
  for (const [id, changes] of pending.unitSettings) {
    const member = model.relations.get(id)?.members.get(unit.name);
    if (member !== undefined) applyChanges(member, changes);
  }
  for (const [id, changes] of pending.applicationSettings) {
    const relation = model.relations.get(id);
    if (relation !== undefined) applyChanges(applicationBag(relation, unit.application.name), changes);
  }
  if (pending.state !== undefined) unit.state = pending.state;
  if (pending.ports !== undefined) unit.ports = pending.ports;
  commitSecrets(model, context);
}

function commitSecrets(model: Model, { unit, pending }: HookContext): void {
  for (const [id, secret] of pending.newSecrets) model.secrets.set(id, secret);
  for (const [id, change] of pending.secretChanges) {
    const secret = model.secrets.get(id);
    if (secret === undefined || !mayManage(secret, unit)) continue;
    secret.metadata = { ...secret.metadata, ...change.metadata };
    if (change.content !== undefined) addRevision(secret, change.content);
  }
  for (const { id, subject, relation } of pending.grants)
    model.secrets.get(id)?.grants.set(subject, relation);
  for (const { id, subjects } of pending.revokes) {
    for (const subject of subjects) model.secrets.get(id)?.grants.delete(subject);
  }
  for (const { id, revision } of pending.removals) {
    const secret = model.secrets.get(id);
    if (secret === undefined || !mayManage(secret, unit)) continue;
    if (revision !== undefined) secret.revisions.delete(revision);
    if (revision === undefined || secret.revisions.size === 0) model.secrets.delete(id);
  }
}
