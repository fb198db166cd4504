/** `status-set`, `status-get`, `application-version-set`, `is-leader`, `leader-*`, `juju-log` (contract 3.2). */
import { CommandFailure, UsageFailure } from "../failures.ts";
import { setWorkload } from "../hook-effects.ts";
import { applicationStatus, applyChanges, statusNow, type Status } from "../model.ts";
import {
  atMost,
  firstValue,
  formatOf,
  isLeader,
  keyValues,
  noFlags,
  type Call,
  type Command,
  type LogRecord,
} from "./command.ts";

const SETTABLE = ["maintenance", "blocked", "waiting", "active"];
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;

const statusSet: Command = {
  flags: () => [{ names: ["application"], kind: "bool" }],
  output: "raw",
  run: (call) => {
    const [status, message = ""] = call.line.parameters;
    if (status === undefined) throw new UsageFailure("invalid args, require <status> [message]");
    if (!SETTABLE.includes(status)) {
      throw new UsageFailure(
        `invalid status ${JSON.stringify(status)}, expected one of [${SETTABLE.join(" ")}]`,
      );
    }
    atMost(call, 2);
    if (!call.line.flags.has("application")) {
      call.context.agent.statusSetInHook = true;
      setWorkload(call.unit, status, message);
      return "";
    }
    if (!isLeader(call)) throw new CommandFailure("this unit is not the leader");
    const { application } = call.unit;
    application.status = statusNow(status, message);
    application.statusHistory.push(application.status);
    return "";
  },
};

const statusGet: Command = {
  flags: () => [
    { names: ["include-data"], kind: "bool" },
    { names: ["application"], kind: "bool" },
  ],
  output: "smart",
  run: (call) => {
    atMost(call, 0);
    const full = call.line.flags.has("include-data");
    const bare = !full && formatOf(call, "smart") === "smart";
    const details = ({ status, message }: Status): Record<string, unknown> =>
      full ? { status, message, "status-data": {} } : { status };
    if (!call.line.flags.has("application"))
      return bare ? call.unit.status.status : details(call.unit.status);
    if (!isLeader(call)) throw new CommandFailure("finding application status: this unit is not the leader");
    const { application } = call.unit;
    const own = applicationStatus(application);
    if (bare) return own.status;
    const units = [...application.units.values()].map(({ name, status }) => [name, details(status)]);
    return { "application-status": { ...details(own), units: Object.fromEntries(units) } };
  },
};

const applicationVersionSet: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    const [version] = call.line.parameters;
    if (version === undefined) throw new UsageFailure("no version specified");
    atMost(call, 1);
    call.unit.application.version = version;
    return "";
  },
};

const isLeaderCommand: Command = {
  flags: noFlags,
  output: "smart",
  run: (call) => {
    atMost(call, 0);
    return isLeader(call);
  },
};

const leaderGet: Command = {
  flags: noFlags,
  output: "smart",
  goneIn: 4,
  run: (call) => {
    atMost(call, 1);
    const [key = "-"] = call.line.parameters;
    if (key.includes("=")) throw new UsageFailure(`invalid key ${JSON.stringify(key)}`);
    const { data } = call.unit.application.leaderSettings;
    return key === "-" ? Object.fromEntries(data) : (data.get(key) ?? null);
  },
};

const leaderSet: Command = {
  flags: noFlags,
  output: "raw",
  goneIn: 4,
  run: (call) => {
    const changes = keyValues(call.line.parameters, false);
    if (!isLeader(call)) {
      throw new CommandFailure("cannot write leadership settings: cannot write settings: not the leader");
    }
    applyChanges(call.unit.application.leaderSettings, changes);
    return "";
  },
};

const jujuLog: Command = {
  flags: () => [
    { names: ["log-level", "l"], kind: "string" },
    { names: ["debug"], kind: "bool" },
  ],
  output: "raw",
  run: (call) => {
    if (call.line.parameters.length === 0) throw new UsageFailure("no message specified");
    const asked = call.line.flags.has("debug") ? "DEBUG" : (firstValue(call, "log-level") ?? "INFO");
    const known: LogRecord["level"] | undefined = LEVELS.find((level) => level === asked.toUpperCase());
    const module = `unit.${call.unit.name}.juju-log`;
    if (known === undefined) call.log("WARNING", module, `Specified log level of "${asked}" is not valid`);
    call.log(known ?? "INFO", module, `${prefix(call)}${call.line.parameters.join(" ")}`);
    return "";
  },
};

function prefix({ context }: Call): string {
  return context.relation === undefined ? "" : `${context.relation.endpoint}:${context.relation.id}: `;
}

/** The commands about status, leadership and the log. */
export const statusCommands: Readonly<Record<string, Command>> = {
  "status-set": statusSet,
  "status-get": statusGet,
  "application-version-set": applicationVersionSet,
  "is-leader": isLeaderCommand,
  "leader-get": leaderGet,
  "leader-set": leaderSet,
  "juju-log": jujuLog,
};
