/** `relation-ids`, `relation-list`, `relation-get`, `relation-set`, `relation-model-get` (contract 3.2). */
import { applicationBag, withPending, type HookContext } from "../context.ts";
import { CommandFailure, UsageFailure } from "../failures.ts";
import { byUnitNumber, findUnit, isPeer, otherSide, ownSide, type Relation } from "../model.ts";
import { readStringMap } from "../yaml.ts";
import { atMost, firstValue, isLeader, keyValues, readInput, relationFlag, relationOf } from "./command.ts";
import type { Call, Command } from "./command.ts";

const UNIT_NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*\/(?:0|[1-9][0-9]*)$/;
const APPLICATION_NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*$/;

function knownRelations(call: Call): readonly Relation[] {
  return [...call.context.agent.relations.keys()]
    .map((id) => call.model.relations.get(id))
    .filter((relation) => relation !== undefined);
}

const relationIds: Command = {
  flags: () => [],
  output: "smart",
  run: (call) => {
    atMost(call, 1);
    const name = call.line.parameters[0] ?? call.context.relation?.endpoint;
    if (name === undefined) throw new UsageFailure("no endpoint name specified");
    return knownRelations(call)
      .filter((relation) => ownSide(relation, call.unit.application)?.endpoint.name === name)
      .map((relation) => `${name}:${relation.id}`)
      .toSorted();
  },
};

const relationList: Command = {
  flags: (_, context) => [relationFlag(context), { names: ["app"], kind: "bool" }],
  output: "smart",
  run: (call) => {
    const relation = relationOf(call);
    atMost(call, 0);
    if (call.line.flags.has("app")) return otherSide(relation, call.unit.application).application.name;
    return [...(call.context.agent.relations.get(relation.id)?.members.keys() ?? [])].toSorted(byUnitNumber);
  },
};

function ownUnitData(context: HookContext, relation: Relation): ReadonlyMap<string, string> {
  const member = relation.members.get(context.unit.name);
  if (member === undefined) {
    throw new CommandFailure(
      `cannot read relation settings: unit "${context.unit.name}": settings not found`,
    );
  }
  return withPending(member, context.pending.unitSettings.get(relation.id));
}

function applicationData(call: Call, relation: Relation, name: string): ReadonlyMap<string, string> {
  const { unit, context } = call;
  if (name === unit.application.name) {
    if (!isLeader(call) && !isPeer(relation)) throw new CommandFailure("permission denied");
    return withPending(
      relation.applicationData.get(name),
      context.pending.applicationSettings.get(relation.id),
    );
  }
  if (!relation.sides.some((side) => side.application.name === name))
    throw new CommandFailure("permission denied");
  return applicationBag(relation, name).data;
}

const relationGet: Command = {
  flags: (_, context) => [relationFlag(context), { names: ["app"], kind: "bool" }],
  output: "smart",
  run: (call) => {
    const relation = relationOf(call);
    atMost(call, 2);
    const [key = "-", given] = call.line.parameters;
    const data = readData(call, relation, given);
    if (key === "-") return Object.fromEntries(data);
    return data.get(key) ?? null;
  },
};

function readData(call: Call, relation: Relation, given: string | undefined): ReadonlyMap<string, string> {
  const context = call.context.relation?.id === relation.id ? call.context.relation : undefined;
  const inferred = [context?.remoteUnit, call.line.flags.has("app") ? context?.remoteApplication : undefined];
  const entity = given ?? inferred.find((name) => name !== undefined && name !== "");
  if (entity === undefined || entity === "") throw new UsageFailure("no unit or application specified");
  if (call.line.flags.has("app")) {
    if (!UNIT_NAME.test(entity) && !APPLICATION_NAME.test(entity)) {
      throw new UsageFailure(`invalid application name ${JSON.stringify(entity)}`);
    }
    return applicationData(call, relation, entity.replace(/\/.*$/, ""));
  }
  if (!UNIT_NAME.test(entity)) {
    throw new UsageFailure(
      APPLICATION_NAME.test(entity)
        ? `expected unit name, got application name "${entity}"`
        : `invalid unit name ${JSON.stringify(entity)}`,
    );
  }
  if (entity === call.unit.name) return ownUnitData(call.context, relation);
  const member = relation.members.get(entity);
  if (member === undefined) {
    const known = findUnit(call.model, entity) !== undefined;
    throw new CommandFailure(
      `cannot read settings for unit "${entity}" in relation "${describeRelation(relation)}": ${known ? "" : `unit "${entity}": `}settings not found`,
    );
  }
  return member.data;
}

/** `app-a:x app-b:y`, as Juju names a relation. */
function describeRelation(relation: Relation): string {
  return relation.sides.map((side) => `${side.application.name}:${side.endpoint.name}`).join(" ");
}

const relationSet: Command = {
  flags: (_, context) => [
    relationFlag(context),
    { names: ["app"], kind: "bool" },
    { names: ["file"], kind: "string" },
    { names: ["format"], kind: "string" },
  ],
  output: "raw",
  run: (call) => {
    const relation = relationOf(call);
    const words = keyValues(call.line.parameters, true);
    const file = firstValue(call, "file");
    const changes = file === undefined ? new Map<string, string>() : readStringMap(readInput(call, file));
    for (const [key, value] of words) changes.set(key, value);
    const { pending } = call.context;
    if (call.line.flags.has("app")) {
      if (!isLeader(call)) throw new CommandFailure("cannot write relation settings");
      merge(pending.applicationSettings, relation.id, changes);
    } else {
      ownUnitData(call.context, relation);
      merge(pending.unitSettings, relation.id, changes);
    }
    return "";
  },
};

function merge(
  into: Map<number, Map<string, string>>,
  id: number,
  changes: ReadonlyMap<string, string>,
): void {
  into.set(id, new Map([...(into.get(id) ?? []), ...changes]));
}

const relationModelGet: Command = {
  flags: (_, context) => [relationFlag(context)],
  output: "smart",
  since: [3, 6, 2],
  run: (call) => {
    relationOf(call);
    return { uuid: call.model.uuid };
  },
};

/** The commands about relations. */
export const relationCommands: Readonly<Record<string, Command>> = {
  "relation-ids": relationIds,
  "relation-list": relationList,
  "relation-get": relationGet,
  "relation-set": relationSet,
  "relation-model-get": relationModelGet,
};
