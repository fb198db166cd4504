/** Checks of an event against the state it is to run in. */
import { actionParameters } from "../juju/charm.ts";
import { isUnitOf } from "./check-relations.ts";
import {
  RELATION_HOOKS,
  SECRET_HOOKS,
  STORAGE_HOOKS,
  UNIT_HOOKS,
  type ActionEvent,
  type RelationEvent,
  type ScenarioEvent,
  type SecretEvent,
} from "./event.ts";
import { isAtLeast, type Setting } from "./setting.ts";
import type { State } from "./state.ts";

/** Problems of `happening` in `state`. */
export function eventProblems(setting: Setting, happening: ScenarioEvent, state: State): readonly string[] {
  switch (happening.kind) {
    case "relation-created":
    case "relation-joined":
    case "relation-changed":
    case "relation-departed":
    case "relation-broken":
      return relationEventProblems(setting, happening, state);
    case "secret-changed":
    case "secret-remove":
    case "secret-rotate":
    case "secret-expired":
      return secretEventProblems(happening, state);
    case "storage-attached":
    case "storage-detaching": {
      const { name, index } = happening;
      const isThere = state.storages.some((one) => one.name === name && one.index === index);
      return isThere ? [] : [`storage ${name}/${index} of the event is not in the state`];
    }
    case "action":
      return actionProblems(setting, happening);
    case "custom":
      return /^[a-z][a-z0-9_-]*$/.test(happening.name)
        ? []
        : [`custom event "${happening.name}" is not made of a-z, 0-9, - and _`];
    case "other":
      return otherProblems(setting, happening.name);
    case "leader-elected":
      return state.leader ? [] : ["leader-elected runs on the leader, which the unit is not in the state"];
    case "leader-settings-changed":
      return [
        ...(state.leader ? ["leader-settings-changed runs on units that do not lead, but ours does"] : []),
        ...(isAtLeast(setting, 4, 0) ? [`Juju ${setting.version} has no leader-settings-changed`] : []),
      ];
    case "install":
    case "upgrade-charm":
    case "config-changed":
    case "start":
    case "stop":
    case "remove":
    case "update-status":
      return [];
  }
}

function relationEventProblems(setting: Setting, happening: RelationEvent, state: State): readonly string[] {
  const { kind, id, endpoint, remoteUnit, departingUnit } = happening;
  const relation = state.relations.find((one) => one.id === id);
  if (relation === undefined) return [`relation ${id} of the event is not in the state`];
  const problems: string[] = [];
  if (relation.endpoint !== endpoint) {
    problems.push(`relation ${id} of the event is of ${endpoint}, in the state of ${relation.endpoint}`);
  }
  if (remoteUnit === null) {
    if (kind === "relation-joined" || kind === "relation-departed")
      problems.push(`${kind} needs a remote unit`);
    return problems;
  }
  if (kind === "relation-created" || kind === "relation-broken") problems.push(`${kind} has no remote unit`);
  const isPeer = relation.kind === "peer";
  const application = isPeer ? setting.application : relation.remoteApplication;
  const members = isPeer ? relation.peers : relation.remoteUnits;
  if (isPeer && remoteUnit === setting.unit) problems.push(`${kind} is about our own unit ${remoteUnit}`);
  else if (!isUnitOf(remoteUnit, application)) {
    problems.push(`${kind} is about "${remoteUnit}", which is no unit of ${application}`);
  } else if (kind !== "relation-departed" && members[remoteUnit] === undefined) {
    problems.push(`${kind} is about ${remoteUnit}, which is not in relation ${id} of the state`);
  }
  if (departingUnit !== null && departingUnit !== remoteUnit && departingUnit !== setting.unit) {
    problems.push(`the departing unit ${departingUnit} is neither ${remoteUnit} nor our ${setting.unit}`);
  }
  return problems;
}

function secretEventProblems({ kind, id, revision }: SecretEvent, state: State): readonly string[] {
  const secret = state.secrets.find((one) => one.id === id);
  if (secret === undefined) return [`secret ${id} of the event is not in the state`];
  const isOurs = "grants" in secret;
  if (kind === "secret-changed") {
    if (isOurs) return [`secret-changed is told to those who read a secret, but ${id} is our own`];
    const newest = Math.max(...Object.keys(secret.revisions).map(Number));
    return secret.tracked !== null && secret.tracked < newest
      ? []
      : [`secret-changed of ${id} needs a tracked revision and a newer one`];
  }
  const problems: string[] = [];
  if (!isOurs) problems.push(`${kind} is told to the owner, but secret ${id} is not ours`);
  else if (secret.owner === "application" && !state.leader) {
    problems.push(`${kind} of the application's secret ${id} is told to the leader, which the unit is not`);
  }
  if (revision === null && kind !== "secret-rotate") problems.push(`${kind} needs a revision`);
  if (revision !== null && secret.revisions[revision] === undefined) {
    problems.push(`secret ${id} of the event has no revision ${revision}`);
  }
  return problems;
}

function actionProblems({ charm }: Setting, { name, parameters }: ActionEvent): readonly string[] {
  const action = charm.actions.get(name);
  if (action === undefined) return [`action ${name} is not declared by the charm`];
  const checked = actionParameters(action, parameters);
  return typeof checked === "string" ? [`parameters of the action ${name}: ${checked}`] : [];
}

/** A hook that has a builder is never run bare: what it is about would be missing. */
function otherProblems({ charm }: Setting, name: string): readonly string[] {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return [`hook "${name}" is not made of a-z, 0-9 and -`];
  const known = [
    ...UNIT_HOOKS,
    ...SECRET_HOOKS,
    ...[...charm.endpoints.keys()].flatMap((endpoint) => RELATION_HOOKS.map((kind) => `${endpoint}-${kind}`)),
    ...[...charm.storage.keys()].flatMap((storage) => STORAGE_HOOKS.map((kind) => `${storage}-${kind}`)),
  ];
  return known.includes(name) ? [`hook ${name} has an event builder of its own`] : [];
}
