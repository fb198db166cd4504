/** What a unit's agent does next (contract 1.5), and what a hook changes in its memory. */
import type { AgentState, Hook, HookRelation, LocalRelation } from "./agent-state.ts";
import {
  byUnitNumber,
  configVersionOf,
  enterScope,
  isPeer,
  otherSide,
  ownSide,
  versionOf,
  visibleMembers,
  type Model,
  type Relation,
  type Unit,
} from "./model.ts";
import { mayManage, obsoleteRevisions, type Secret } from "./secrets.ts";

/** The next thing to do, the queues' heads being picked by the caller. */
export type Operation = { readonly kind: "hook"; readonly hook: Hook } | { readonly kind: "action" | "exec" };

/** What stands in the unit's queues. */
export interface Queues {
  readonly actions: number;
  readonly execs: number;
}

/** The first operation that applies, or `undefined` for an idle unit. Enters relation scopes on the way, as the agent does. */
export function nextOperation(
  model: Model,
  unit: Unit,
  agent: AgentState,
  queues: Queues,
): Operation | undefined {
  if (agent.removed) return undefined;
  // the agents are down while the machine's base is replaced
  if (agent.series?.phase === "prepared") return undefined;
  const blocked = agent.failed !== undefined;
  if (!blocked && agent.installed && !agent.stopped) {
    const hook = firstHook(model, unit, agent);
    if (hook !== undefined) return { kind: "hook", hook };
  }
  if (queues.actions > 0 && agent.installTried) return { kind: "action" };
  if (queues.execs > 0) return { kind: "exec" };
  if (agent.failed !== undefined) return agent.retry ? { kind: "hook", hook: agent.failed } : undefined;
  const hook = storageHook(unit, agent) ?? lifecycleHook(model, unit, agent);
  return hook === undefined ? undefined : { kind: "hook", hook };
}

/** Hooks that go before actions. */
function firstHook(model: Model, unit: Unit, agent: AgentState): Hook | undefined {
  if (unit.dying) return undefined;
  if (agent.series?.phase === "preparing") return { kind: "pre-series-upgrade" };
  if (agent.series?.phase === "completing") return { kind: "post-series-upgrade" };
  if (agent.startAgain) return { kind: "start" };
  for (const relation of relationsOf(model, unit)) {
    if (!agent.relations.has(relation.id)) {
      if (relation.dying) continue;
      enterScope(relation, unit);
      agent.relations.set(relation.id, {
        created: false,
        members: new Map(),
        changedPending: undefined,
        applicationVersion: 0,
      });
    }
    const local = agent.relations.get(relation.id);
    if (local !== undefined && !local.created && !relation.dying) {
      return { kind: "relation-created", relation: about(relation, unit, "") };
    }
  }
  return leadershipHook(model, unit, agent) ?? secretHook(model, unit, agent);
}

function leadershipHook(model: Model, unit: Unit, agent: AgentState): Hook | undefined {
  const { application } = unit;
  if (application.leader === unit.name) return agent.leader ? undefined : { kind: "leader-elected" };
  if (agent.leader) {
    agent.leader = false;
    agent.leaderSettingsSeen = -1;
  }
  const [major] = versionOf(model);
  return major < 4 && agent.leaderSettingsSeen < application.leaderSettings.version
    ? { kind: "leader-settings-changed" }
    : undefined;
}

function secretHook(model: Model, unit: Unit, agent: AgentState): Hook | undefined {
  const ownLabel = (secret: Secret): string => secret.metadata.label;
  for (const [id, revision] of agent.expiriesDue) {
    const secret = model.secrets.get(id);
    if (secret !== undefined)
      return { kind: "secret-expired", secret: { id, label: ownLabel(secret), revision } };
  }
  for (const id of agent.rotationsDue) {
    const secret = model.secrets.get(id);
    if (secret === undefined) continue;
    return { kind: "secret-rotate", secret: { id, label: ownLabel(secret), revision: undefined } };
  }
  for (const [id, secret] of model.secrets) {
    const consumer = secret.consumers.get(unit.name);
    if (consumer === undefined || mayManage(secret, unit)) continue;
    if (Math.max(consumer.tracked, agent.secretsTold.get(id) ?? 0) < secret.latest) {
      return { kind: "secret-changed", secret: { id, label: consumer.label, revision: undefined } };
    }
  }
  for (const [id, secret] of model.secrets) {
    if (!mayManage(secret, unit)) continue;
    const revision = obsoleteRevisions(secret).find((number) => !agent.revisionsTold.has(`${id}/${number}`));
    if (revision !== undefined)
      return { kind: "secret-remove", secret: { id, label: ownLabel(secret), revision } };
  }
  return undefined;
}

/** Storage goes before install, and away before the relations of a dying unit. One never attached leaves in silence. */
function storageHook(unit: Unit, agent: AgentState): Hook | undefined {
  if (agent.stopped) return undefined;
  for (const instance of unit.storage.values()) {
    const { id, kind, location } = instance;
    const told = agent.storages.has(id);
    if (unit.dying || instance.dying) {
      if (told) return { kind: "storage-detaching", storage: { id, kind, location } };
      unit.storage.delete(id);
    } else if (!told) return { kind: "storage-attached", storage: { id, kind, location } };
  }
  return undefined;
}

/** Hooks that come after actions and commands. */
function lifecycleHook(model: Model, unit: Unit, agent: AgentState): Hook | undefined {
  if (agent.stopped) return { kind: "remove" };
  if (!agent.installed) return { kind: unit.dying ? "remove" : "install" };
  if (!unit.dying) {
    if (agent.charmSeen < unit.application.charmVersion) return { kind: "upgrade-charm" };
    if (agent.configSeen < configVersionOf(unit)) return { kind: "config-changed" };
    if (!agent.started) return { kind: "start" };
  }
  for (const relation of relationsOf(model, unit)) {
    const local = agent.relations.get(relation.id);
    const hook = local === undefined ? undefined : relationHook(relation, unit, local);
    if (hook !== undefined) return hook;
  }
  if (unit.dying) return { kind: "stop" };
  return agent.updateStatusDue > 0 ? { kind: "update-status" } : undefined;
}

function relationHook(relation: Relation, unit: Unit, local: LocalRelation): Hook | undefined {
  if (local.changedPending !== undefined) {
    return { kind: "relation-changed", relation: about(relation, unit, local.changedPending) };
  }
  const unitLeaves = unit.dying && !isPeer(relation);
  const visible = relation.dying || unitLeaves ? [] : visibleMembers(relation, unit);
  const gone = [...local.members.keys()].toSorted(byUnitNumber).find((name) => !visible.includes(name));
  if (gone !== undefined) {
    return {
      kind: "relation-departed",
      relation: about(relation, unit, gone, unitLeaves ? unit.name : gone),
    };
  }
  if (relation.dying || unitLeaves) return { kind: "relation-broken", relation: about(relation, unit, "") };
  const other = otherSide(relation, unit.application).application;
  const ownWrites = isPeer(relation) && unit.application.leader === unit.name;
  if (!ownWrites && (relation.applicationData.get(other.name)?.version ?? 0) > local.applicationVersion) {
    return { kind: "relation-changed", relation: about(relation, unit, "") };
  }
  const newcomer = visible.find((name) => !local.members.has(name));
  if (newcomer !== undefined) return { kind: "relation-joined", relation: about(relation, unit, newcomer) };
  const changed = visible.find(
    (name) => (local.members.get(name) ?? 0) < (relation.members.get(name)?.version ?? 0),
  );
  if (changed !== undefined) return { kind: "relation-changed", relation: about(relation, unit, changed) };
  return undefined;
}

function about(relation: Relation, unit: Unit, remoteUnit: string, departingUnit = ""): HookRelation {
  return {
    id: relation.id,
    endpoint: ownSide(relation, unit.application)?.endpoint.name ?? "",
    remoteApplication: otherSide(relation, unit.application).application.name,
    remoteUnit,
    departingUnit,
  };
}

/** The relations that `unit` takes part in, oldest first. */
export function relationsOf(model: Model, unit: Unit): readonly Relation[] {
  return [...model.relations.values()].filter(
    (relation) => ownSide(relation, unit.application) !== undefined,
  );
}
