/** What running a hook changes in the agent's memory and in the unit's status (contract 1.5). */
import type { AgentState, Hook, HookRelation, SecretHook } from "./agent-state.ts";
import { configVersionOf, otherSide, statusNow, type Model, type Relation, type Unit } from "./model.ts";

/**
 * Notes the start of `hook`; the returned function notes its success. What the hook is told about is fixed
 * here: a change that arrives while it runs fires another hook.
 */
export function beginHook(model: Model, unit: Unit, agent: AgentState, hook: Hook): () => void {
  const { application } = unit;
  agent.retry = false;
  const placed = agent.charmPlaced;
  switch (hook.kind) {
    case "install":
      agent.installTried = true;
      if (!agent.statusSetInHook) setWorkload(unit, "maintenance", "installing charm software");
      return () => {
        agent.installed = true;
        agent.charmSeen = Math.max(agent.charmSeen, placed);
      };
    case "upgrade-charm": {
      const version = placed;
      return () => {
        agent.charmSeen = version;
        agent.configSeen = -1;
      };
    }
    case "config-changed": {
      const version = configVersionOf(unit);
      return () => void (agent.configSeen = version);
    }
    case "start":
      return () => {
        agent.started = true;
        agent.startAgain = false;
        if (!agent.statusSetInHook) setWorkload(unit, "unknown", "");
      };
    case "stop":
      setWorkload(unit, "maintenance", "stopping charm software");
      return () => void (agent.stopped = true);
    case "remove":
      setWorkload(unit, "maintenance", "cleaning up prior to charm deletion");
      return () => {
        agent.removed = true;
        setWorkload(unit, "terminated", "");
      };
    case "update-status": {
      const asked = agent.updateStatusDue;
      return () => void (agent.updateStatusDue -= asked);
    }
    case "leader-elected":
      return () => void (agent.leader = true);
    case "leader-settings-changed": {
      const { version } = application.leaderSettings;
      return () => void (agent.leaderSettingsSeen = version);
    }
    case "relation-created":
    case "relation-joined":
    case "relation-changed":
    case "relation-departed":
    case "relation-broken":
      return beginRelationHook(model, unit, agent, hook.kind, hook.relation);
    case "secret-changed":
    case "secret-remove":
    case "secret-rotate":
    case "secret-expired":
      return beginSecretHook(model, agent, hook);
    case "storage-attached":
      return () => void agent.storages.add(hook.storage.id);
    case "storage-detaching":
      return () => {
        agent.storages.delete(hook.storage.id);
        unit.storage.delete(hook.storage.id);
      };
    case "pre-series-upgrade":
      return () => {
        if (agent.series !== undefined) agent.series.phase = "prepared";
      };
    case "post-series-upgrade":
      return () => void (agent.series = undefined);
  }
}

function beginRelationHook(
  model: Model,
  unit: Unit,
  agent: AgentState,
  kind: "relation-created" | "relation-joined" | "relation-changed" | "relation-departed" | "relation-broken",
  { id, remoteUnit: remote }: HookRelation,
): () => void {
  const relation = model.relations.get(id);
  const local = agent.relations.get(id);
  if (relation === undefined || local === undefined) return () => {};
  switch (kind) {
    case "relation-created":
      return () => void (local.created = true);
    case "relation-joined":
      if (!local.members.has(remote)) local.members.set(remote, 0);
      return () => void (local.changedPending = remote);
    case "relation-changed": {
      const other = otherSide(relation, unit.application).application.name;
      const bag = remote === "" ? relation.applicationData.get(other) : relation.members.get(remote);
      const version = bag?.version ?? 0;
      return () => {
        if (remote === "") local.applicationVersion = version;
        else local.members.set(remote, version);
        if (local.changedPending === remote) local.changedPending = undefined;
      };
    }
    case "relation-departed":
      local.members.delete(remote);
      return () => {};
    case "relation-broken":
      return () => {
        agent.relations.delete(id);
        leaveScope(relation, unit.name);
        collectRelation(model, relation);
      };
  }
}

function beginSecretHook(model: Model, agent: AgentState, hook: SecretHook): () => void {
  const { id, revision } = hook.secret;
  if (hook.kind === "secret-changed") {
    const latest = model.secrets.get(id)?.latest ?? 0;
    return () => void agent.secretsTold.set(id, latest);
  }
  if (hook.kind === "secret-rotate") return () => void agent.rotationsDue.delete(id);
  if (hook.kind === "secret-expired") return () => void agent.expiriesDue.delete(id);
  return () => void agent.revisionsTold.add(`${id}/${revision}`);
}

/** Sets the workload status and keeps the old one in the history. */
export function setWorkload(unit: Unit, status: string, message: string): void {
  unit.status = statusNow(status, message);
  unit.statusHistory.push(unit.status);
}

/** Takes the unit out of the scope; its settings stay readable. */
export function leaveScope(relation: Relation, unitName: string): void {
  const member = relation.members.get(unitName);
  if (member !== undefined) member.inScope = false;
}

/** Removes a dying relation that no unit is in any more, with the secret grants that hang on it. */
export function collectRelation(model: Model, relation: Relation): void {
  if (!relation.dying || [...relation.members.values()].some((member) => member.inScope)) return;
  model.relations.delete(relation.id);
  for (const secret of model.secrets.values()) {
    for (const [subject, id] of secret.grants) if (id === relation.id) secret.grants.delete(subject);
  }
}
