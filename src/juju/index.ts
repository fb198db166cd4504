/** A framework for Juju machine charms; this file lists all that others may use. */
export type { Action } from "./action.ts";
export { defineCharm, type ActionRun, type Charm, type HookHandlers, type Run } from "./charm.ts";
export {
  applicationOf,
  contextFromEnvironment,
  type CharmProxies,
  type JujuContext,
  type RelationContext,
  type RelationRef,
} from "./context.ts";
export { CANCELLED, dispatch, type DispatchDeps } from "./dispatch.ts";
export {
  HookCommandError,
  isHookFailure,
  isSecretDenied,
  isSecretNotFound,
  type HookCommandFailure,
} from "./errors.ts";
export {
  eventOf,
  type ActionEvent,
  type CharmMetadata,
  type CustomEvent,
  type HookEvent,
  type HookKind,
  type JujuEvent,
  type LifecycleEvent,
  type RelationEvent,
  type SecretEvent,
  type StorageEvent,
  type UnknownEvent,
} from "./events.ts";
export * as hookCommands from "./hook-commands.ts";
export type { ActionResults } from "./hook-commands/action.ts";
export type { CloudCredential, ConfigValue, Goal, GoalState, StatusName } from "./hook-commands/identity.ts";
export type { NetworkInfo, Port, StorageInfo } from "./hook-commands/machine.ts";
export {
  canonicalSecretId,
  isSecretUri,
  type GrantHolder,
  type SecretContent,
  type SecretInfo,
  type SecretMetadata,
  type SecretRef,
} from "./hook-commands/secret.ts";
export { runHookProcess } from "./hook-process.ts";
export { openBlockingHookTool, openHookTool, type HookTool } from "./hook-tool.ts";
export { jujuLogStream, type JujuLogStream } from "./juju-log.ts";
export {
  openUnit,
  type OpenedUnit,
  type RawConfig,
  type Unit,
  type UnitPorts,
  type UnitState,
} from "./model.ts";
export type { Relation, Settings } from "./relation.ts";
export { areReadable, type Secret } from "./secrets.ts";
export {
  active,
  blocked,
  LONGEST_MESSAGE,
  maintenance,
  statusSetter,
  waiting,
  worst,
  type Status,
} from "./status.ts";
export type { JujuVersion } from "./version.ts";
export type { NewSecret, Setting } from "./writes.ts";
