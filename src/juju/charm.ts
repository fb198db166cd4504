/** What a charm is: plain data and functions, with no base class and no registration (juju-rules 0.8, 1.4). */
import type { ConfigError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Action } from "./action.ts";
import type { JujuContext } from "./context.ts";
import type { ActionEvent, CharmMetadata, CustomEvent, HookEvent, HookKind, JujuEvent } from "./events.ts";
import type { HookTool } from "./hook-tool.ts";
import type { RawConfig, Unit } from "./model.ts";
import type { Status } from "./status.ts";

/** What a handler gets. */
export interface Run<Config, Event extends JujuEvent = JujuEvent> {
  readonly context: JujuContext;
  readonly event: Event;
  readonly unit: Unit;
  /** The parsed config; throws ConfigError when it is wrong, which ends the handler with the status blocked. */
  readonly config: () => Promise<Config>;
  readonly log: Logger;
  /** Sets the status to maintenance at once, before long work; the final status is collected later. */
  readonly setMaintenance: (message: string) => Promise<void>;
  /** For hook commands that the model does not cover. */
  readonly tool: HookTool;
  /** Fires when the agent ends the hook; pass it to everything that waits. */
  readonly signal: AbortSignal;
}

/** What an action's handler gets. */
export interface ActionRun<Config> extends Run<Config, ActionEvent> {
  readonly action: Action;
}

/** Handlers of Juju's hooks; a hook without one only collects the status. */
export type HookHandlers<Config> = {
  readonly [Kind in HookKind]?: (run: Run<Config, HookEvent<Kind>>) => Promise<void>;
};

/**
 * A charm. Handlers may run more than once for one event (Juju retries a failed hook) and in an odd order
 * (`juju-exec` even before install): each looks at everything and converges. Their writes are issued only
 * when they succeed; a throw fails the hook, a ConfigError blocks the unit, and both fail an action.
 */
export interface Charm<Config> {
  readonly metadata: CharmMetadata;
  /** The config in exact types, or all its problems at once. May load a schema library lazily. */
  readonly parseConfig: (raw: RawConfig) => Config | ConfigError | Promise<Config | ConfigError>;
  readonly hooks: HookHandlers<Config>;
  /** By name: the dispatches that the charm asks for itself, through `juju-exec`. */
  readonly custom: Readonly<Record<string, (run: Run<Config, CustomEvent>) => Promise<void>>>;
  /** By name, as in actions.yaml. */
  readonly actions: Readonly<Record<string, (run: ActionRun<Config>) => Promise<void>>>;
  /**
   * The unit's statuses, of which the worst is set: called once at the end of every dispatch that did not
   * fail, with the handler's own model, so that facts it asked for are not asked again. None leaves the
   * status as it is. It must only read.
   */
  readonly collectStatus: (run: Run<Config>) => Promise<readonly Status[]>;
}

/**
 * `charm`, frozen; gives handlers their types.
 *
 * ```ts
 * const reconcile = async ({ unit, config }: Run<Config>) => {
 *   const { channel } = await config();
 *   for (const relation of await unit.relations("image")) relation.setUnitData({ channel });
 * };
 * export const charm = defineCharm<Config>({
 *   metadata: { endpoints: ["image"], storages: [] },
 *   parseConfig,
 *   hooks: { "config-changed": reconcile, "relation-changed": reconcile },
 *   custom: { run: reconcile },
 *   actions: { show: async ({ action }) => action.setResults({ answer: 42 }) },
 *   collectStatus: async ({ unit }) =>
 *     (await unit.relations("image")).length === 0 ? [waiting("no image relation")] : [active()],
 * });
 * // in the program's main file
 * await runHookProcess(charm, process, { createLogger, logLevel: "info" });
 * ```
 */
export function defineCharm<Config>(charm: Charm<Config>): Charm<Config> {
  return Object.freeze(charm);
}
