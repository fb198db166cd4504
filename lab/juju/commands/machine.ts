/** `goal-state`, `juju-reboot`, `credential-get`, `resource-get` (contract 3.2). */
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandFailure, UsageFailure } from "../failures.ts";
import { otherSide, ownSide } from "../model.ts";
import { atMost, noFlags, type Command } from "./command.ts";

const goalState: Command = {
  flags: noFlags,
  output: "yaml",
  formats: ["yaml", "json"],
  run: (call) => {
    const { application } = call.unit;
    const relations: Record<string, Record<string, unknown>> = {};
    for (const relation of call.model.relations.values()) {
      const side = ownSide(relation, application);
      if (side === undefined || relation.sides.length === 1) continue;
      const other = otherSide(relation, application).application;
      const entry = (relations[side.endpoint.name] ??= {});
      entry[other.name] = { status: relation.dying ? "dying" : "joined", since: goTime(other.status.since) };
      for (const unit of other.units.values())
        entry[unit.name] = goalOf(unit.status.status, unit.dying, unit.status.since);
    }
    const units = [...application.units.values()].map((unit) => [
      unit.name,
      goalOf(unit.status.status, unit.dying, unit.status.since),
    ]);
    return { units: Object.fromEntries(units), relations };
  },
};

const goalOf = (status: string, dying: boolean, since: string): unknown => ({
  status: dying ? "dying" : status,
  since: goTime(since),
});

/** RFC 3339 without the T and fractions, as Juju's commands print times. */
const goTime = (iso: string): string => iso.replace("T", " ").replace(/\.\d+Z$/, "Z");

const jujuReboot: Command = {
  flags: () => [{ names: ["now"], kind: "bool" }],
  output: "raw",
  run: (call) => {
    atMost(call, 0);
    if (call.context.action !== undefined)
      throw new CommandFailure("juju-reboot is not supported when running an action.");
    call.context.reboot = call.line.flags.has("now") ? "now" : "after";
    if (call.context.reboot === "now") call.context.stop();
    return "";
  },
};

const credentialGet: Command = {
  flags: noFlags,
  output: "smart",
  run: (call) => {
    atMost(call, 0);
    if (!call.unit.application.trusted)
      throw new CommandFailure("cannot access cloud credentials: permission denied");
    return call.model.cloud;
  },
};

const resourceGet: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    const [name] = call.line.parameters;
    if (name === undefined) throw new UsageFailure("missing required resource name");
    atMost(call, 1);
    const { application, charm } = call.unit;
    const [source, fileName] = [application.resources.get(name), charm?.resources.get(name)];
    if (source === undefined || fileName === undefined) {
      throw new CommandFailure(
        `could not download resource: resource "${application.name}/${name}" not found`,
      );
    }
    const path = join(call.context.agent.directory, "resources", name, fileName);
    try {
      mkdirSync(dirname(path), { recursive: true });
      copyFileSync(source, path);
    } catch (error) {
      throw new CommandFailure(`could not download resource: ${String(error)}`, { cause: error });
    }
    return path;
  },
};

/** The commands about the machine and what the model has for it. */
export const machineCommands: Readonly<Record<string, Command>> = {
  "goal-state": goalState,
  "juju-reboot": jujuReboot,
  "credential-get": credentialGet,
  "resource-get": resourceGet,
};
