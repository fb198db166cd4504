/** What an admin does to relations, and the applications without a charm that stand at their other end. */
import { AppError } from "../../../src/base/errors.ts";
import type { Endpoint } from "../charm.ts";
import { applicationBag } from "../context.ts";
import { applyChanges, enterScope, ownSide } from "../model.ts";
import * as operations from "../operations.ts";
import { applicationNamed, relationWith } from "../operations.ts";
import { takeNumber, type Controller } from "./controller.ts";

/** Endpoints of a scripted application, by name. */
type ScriptedEndpoints = Readonly<
  Record<string, { readonly interface: string; readonly role: Endpoint["role"] }>
>;

/** The admin's doings with relations, as methods of the fake. */
export function relationMethods({ agents, model, numbers }: Controller) {
  const machine = (): string => String(takeNumber(numbers, "machine"));
  return {
    /** Adds an application without a charm, whose databags the caller writes. Its units are in every relation's scope at once. */
    addScriptedApplication(
      name: string,
      options: { readonly endpoints: ScriptedEndpoints; readonly units: number },
    ): void {
      const endpoints = Object.entries(options.endpoints).map(([endpoint, rest]) => ({
        name: endpoint,
        ...rest,
      }));
      const application = operations.addApplication(model, name, endpoints);
      for (let added = 0; added < options.units; added += 1)
        operations.addUnit(application, machine(), undefined);
    },

    /** Adds one more unit to a scripted application, in the scope of all its relations; gives its name. */
    addScriptedUnit(name: string): string {
      const application = applicationNamed(model, name);
      if (application.charm !== undefined)
        throw new AppError(`cannot add a scripted unit to ${name}: it has a charm`);
      const unit = operations.addUnit(application, machine(), undefined);
      for (const relation of model.relations.values()) {
        if (ownSide(relation, application) !== undefined && !relation.dying) enterScope(relation, unit);
      }
      agents.wake();
      return unit.name;
    },

    /** Relates two endpoints (`app:endpoint`); gives the relation's id. */
    async relate(a: string, b: string): Promise<number> {
      const id = takeNumber(numbers, "relation");
      operations.relate(model, id, a, b);
      agents.wake();
      return id;
    },

    /** Ends a relation: departed and broken follow on every unit with an agent. */
    async removeRelation(id: number): Promise<void> {
      operations.endRelation(model, id);
      agents.wake();
    },

    /** The relations there are, oldest first. */
    relationIds: (): readonly number[] => [...model.relations.keys()],

    /** Merges `data` into a scripted unit's databag; the empty text deletes a key. */
    setUnitData(relationId: number, unit: string, data: Readonly<Record<string, string>>): void {
      const member = relationWith(model, relationId).members.get(unit);
      if (member === undefined)
        throw new AppError(`cannot set data of ${unit}: it is not in relation ${relationId}`);
      applyChanges(member, new Map(Object.entries(data)));
      agents.wake();
    },

    /** Merges `data` into an application's databag; the empty text deletes a key. */
    setApplicationData(
      relationId: number,
      application: string,
      data: Readonly<Record<string, string>>,
    ): void {
      const bag = applicationBag(relationWith(model, relationId), application);
      applyChanges(bag, new Map(Object.entries(data)));
      agents.wake();
    },

    /** What others see in a unit's databag; empty before it has entered the scope. */
    unitData: (relationId: number, unit: string): Record<string, string> =>
      Object.fromEntries(relationWith(model, relationId).members.get(unit)?.data ?? []),

    /** What is in an application's databag. */
    applicationData: (relationId: number, application: string): Record<string, string> =>
      Object.fromEntries(relationWith(model, relationId).applicationData.get(application)?.data ?? []),
  };
}
