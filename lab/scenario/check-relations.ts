/** Checks of the relations of a state. */
import type { Setting } from "./setting.ts";
import type { Databag, PeerRelation, Relation, State } from "./state.ts";

const APPLICATION = /^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*$/;

/** Problems of the relations of `state`. */
export function relationProblems(setting: Setting, state: State): readonly string[] {
  const problems: string[] = [];
  const byId = new Map<number, string>();
  for (const relation of state.relations) {
    const { id, endpoint } = relation;
    const other = byId.get(id);
    if (other !== undefined) problems.push(`relations of ${other} and of ${endpoint} have the same id ${id}`);
    byId.set(id, endpoint);
    if (!Number.isInteger(id) || id < 0) problems.push(`relation id ${id} is no whole number from 0 on`);
    problems.push(...endpointProblems(setting, relation));
    problems.push(
      ...(relation.kind === "peer" ? peerProblems(setting, relation) : remoteProblems(setting, relation)),
    );
    problems.push(...bagProblems(relation));
  }
  const peers = state.relations.flatMap((one) => (one.kind === "peer" ? [one.endpoint] : []));
  for (const endpoint of new Set(peers.filter((name, at) => peers.indexOf(name) !== at))) {
    problems.push(`peer endpoint ${endpoint} has more than one relation`);
  }
  return problems;
}

function endpointProblems(
  { charm }: Setting,
  { id, kind, endpoint }: Relation | PeerRelation,
): readonly string[] {
  const declared = charm.endpoints.get(endpoint);
  if (declared === undefined) return [`relation ${id}: endpoint ${endpoint} is not declared by the charm`];
  if ((declared.role === "peers") === (kind === "peer")) return [];
  const builder = declared.role === "peers" ? "peerRelation" : "relation";
  return [
    `relation ${id}: endpoint ${endpoint} is declared under ${declared.role}: make it with ${builder}()`,
  ];
}

function peerProblems({ application, unit }: Setting, { id, peers }: PeerRelation): readonly string[] {
  return Object.keys(peers).flatMap((name) => {
    if (name === unit) return [`relation ${id}: peers hold our own unit ${unit}; its data are ownUnit`];
    return isUnitOf(name, application) ? [] : [`relation ${id}: peer "${name}" is no unit of ${application}`];
  });
}

function remoteProblems({ application }: Setting, relation: Relation): readonly string[] {
  const { id, remoteApplication, remoteUnits } = relation;
  const problems: string[] = [];
  if (!APPLICATION.test(remoteApplication)) {
    problems.push(`relation ${id}: "${remoteApplication}" is no name of an application`);
  }
  if (remoteApplication === application) {
    problems.push(`relation ${id}: the remote application is our own, ${application}`);
  }
  for (const name of Object.keys(remoteUnits)) {
    if (!isUnitOf(name, remoteApplication)) {
      problems.push(`relation ${id}: remote unit "${name}" is no unit of ${remoteApplication}`);
    }
  }
  return problems;
}

/** Whether `name` is one of the names that units of `application` have. */
export function isUnitOf(name: string, application: string): boolean {
  return name.startsWith(`${application}/`) && /^(0|[1-9]\d*)$/.test(name.slice(application.length + 1));
}

function bagProblems(relation: Relation | PeerRelation): readonly string[] {
  const others = relation.kind === "peer" ? relation.peers : relation.remoteUnits;
  const bags: readonly (readonly [string, Databag])[] = [
    ["ownUnit", relation.ownUnit],
    ["ownApplication", relation.ownApplication],
    ...(relation.kind === "peer" ? [] : [["remoteApplicationData", relation.remoteApplicationData] as const]),
    ...Object.entries(others),
  ];
  return bags.flatMap(([name, bag]) =>
    Object.entries(bag).flatMap(([key, value]) => {
      if (key === "") return [`relation ${relation.id}: databag of ${name} has an empty key`];
      if (typeof value !== "string")
        return [`relation ${relation.id}: databag of ${name} holds no text at "${key}"`];
      return value === ""
        ? [`relation ${relation.id}: databag of ${name} is empty at "${key}", which Juju would have deleted`]
        : [];
    }),
  );
}
