/** Hook commands about the unit itself: config, leadership, status, version, goal state, credential, reboot (juju-rules 3.2). */
import { AppError } from "../../base/errors.ts";
import { registerSecret } from "../../base/redact.ts";
import { toBoolean, toObject, toOptionalText, toText, toTexts } from "../decode.ts";
import { asArgument } from "../free-text.ts";
import { requireVersion, runJson, type HookTool } from "../hook-tool.ts";

/** A config value as Juju types it; a `secret` option gives the URI that the admin typed. */
export type ConfigValue = string | number | boolean;

/** All config options that have a value; options without one are left out. */
export async function configGet(tool: HookTool): Promise<Readonly<Record<string, ConfigValue>>> {
  const config: Record<string, ConfigValue> = {};
  for (const [key, value] of Object.entries(toObject(await runJson(tool, "config-get", []), "config-get"))) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      config[key] = value;
  }
  return config;
}

/** Whether this unit leads; `true` holds for 30 seconds. */
export async function isLeader(tool: HookTool): Promise<boolean> {
  return toBoolean(await runJson(tool, "is-leader", []), "is-leader");
}

/** A workload status that a charm may set. */
export type StatusName = "active" | "blocked" | "maintenance" | "waiting";

/** The unit's workload status; `status` may also be one that only the agent sets (`unknown`, `error`...). */
export async function statusGet(
  tool: HookTool,
): Promise<{ readonly status: string; readonly message: string }> {
  const data = toObject(await runJson(tool, "status-get", ["--include-data"]), "status-get");
  return {
    status: toText(data["status"], "status-get"),
    message: toOptionalText(data["message"], "status-get") ?? "",
  };
}

/** The application's status, for the leader only; `not-leader` for others. */
export async function applicationStatusGet(
  tool: HookTool,
): Promise<{ readonly status: string; readonly message: string }> {
  const output = await runJson(tool, "status-get", ["--include-data", "--application"]);
  const data = toObject(toObject(output, "status-get")["application-status"] ?? null, "status-get");
  return {
    status: toText(data["status"], "status-get"),
    message: toOptionalText(data["message"], "status-get") ?? "",
  };
}

/** Sets the unit's (or, as leader, the application's) workload status at once: it survives a failing hook. */
export async function statusSet(
  tool: HookTool,
  status: StatusName,
  message: string,
  scope: "unit" | "application" = "unit",
): Promise<void> {
  const flags = scope === "application" ? ["--application"] : [];
  await tool.run("status-set", [...flags, "--", status, asArgument(message)]);
}

/** Sets the workload version that `juju status` shows, at once. */
export async function applicationVersionSet(tool: HookTool, version: string): Promise<void> {
  await tool.run("application-version-set", ["--", asArgument(version)]);
}

/** A unit or application as the model wants it to be; `since` is RFC 3339. Units that are `dying` don't count. */
export interface Goal {
  readonly status: string;
  readonly since: string | null;
}

/** The units of this application, and by endpoint the units and applications on the other side, each by name. */
export interface GoalState {
  readonly units: Readonly<Record<string, Goal>>;
  readonly relations: Readonly<Record<string, Readonly<Record<string, Goal>>>>;
}

/** Units and relations as the model wants them to be. */
export async function goalState(tool: HookTool): Promise<GoalState> {
  const state = toObject(await runJson(tool, "goal-state", []), "goal-state");
  const relations = Object.entries(toObject(state["relations"] ?? null, "goal-state"));
  return {
    units: goals(state["units"]),
    relations: Object.fromEntries(relations.map(([endpoint, members]) => [endpoint, goals(members)])),
  };
}

function goals(value: unknown): Readonly<Record<string, Goal>> {
  return Object.fromEntries(
    Object.entries(toObject(value ?? null, "goal-state")).map(([name, raw]) => {
      const goal = toObject(raw, "goal-state");
      const since = toOptionalText(goal["since"], "goal-state");
      return [name, { status: toText(goal["status"], "goal-state"), since }];
    }),
  );
}

/** The credential with which Juju reaches its cloud; `attributes` by Juju's names (`password`, `region`...). */
export interface CloudCredential {
  readonly type: string;
  readonly name: string;
  readonly region: string | null;
  readonly endpoint: string | null;
  readonly authType: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The model's cloud credential, its values redacted from then on; `permission-denied` without `juju trust`. */
export async function credentialGet(tool: HookTool): Promise<CloudCredential> {
  const command = "credential-get";
  const cloud = toObject(await runJson(tool, command, []), command);
  const credential = toObject(cloud["credential"] ?? null, command);
  const attributes = toTexts(credential["attrs"] ?? null, command);
  for (const value of Object.values(attributes)) registerSecret(value);
  return {
    type: toText(cloud["type"], command),
    name: toText(cloud["name"], command),
    region: toOptionalText(cloud["region"], command),
    endpoint: toOptionalText(cloud["endpoint"], command),
    authType: toText(credential["auth-type"], command),
    attributes,
  };
}

/** Reboots the machine after this hook's success; with `now` the hook is killed and runs again. Refused in actions. */
export async function jujuReboot(tool: HookTool, now: boolean): Promise<void> {
  await tool.run("juju-reboot", now ? ["--now"] : []);
}

/** The leader's settings; removed in Juju 4.0. */
export async function leaderGet(tool: HookTool): Promise<Readonly<Record<string, string>>> {
  requireLeaderSettings(tool);
  return toTexts(await runJson(tool, "leader-get", []), "leader-get");
}

/** Sets the leader's settings at once; removed in Juju 4.0. Values are seen by `ps` and trimmed by Juju. */
export async function leaderSet(tool: HookTool, settings: Readonly<Record<string, string>>): Promise<void> {
  requireLeaderSettings(tool);
  await tool.run("leader-set", ["--", ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)]);
}

function requireLeaderSettings(tool: HookTool): void {
  requireVersion(tool, "2.0", "leader settings");
  if (tool.version.atLeast("4.0-alpha1")) {
    throw new AppError(`cannot use leader settings: Juju ${tool.version.text} has none`);
  }
}
