/** A relation of this unit, read lazily and once per dispatch (juju-rules 1.5, 3.2). */
import { AppError } from "../base/errors.ts";
import { applicationOf, relationKey, type JujuContext, type RelationRef } from "./context.ts";
import type { HookTool } from "./hook-tool.ts";
import {
  relationApplication,
  relationGet,
  relationList,
  relationModelGet,
} from "./hook-commands/relation.ts";
import { once, oncePerKey } from "./once.ts";
import { queueSettings, withQueued, type Setting, type Writes } from "./writes.ts";

/** Content of a databag. */
export type Settings = Readonly<Record<string, string>>;

/**
 * One relation. Reads of our own databags show the queued writes. In `relation-departed` the leaving unit is
 * no longer among `remoteUnits`, but its data can be read; the same holds for all units in `relation-broken`.
 */
export interface Relation extends RelationRef {
  /** `endpoint:id`, for messages. */
  readonly key: string;
  /** `null` only when Juju does not know it any more. Our own application in a peer relation. */
  readonly remoteApplication: () => Promise<string | null>;
  /** Remote units in scope; in a peer relation the other units. */
  readonly remoteUnits: () => Promise<readonly string[]>;
  /** Databag of a remote unit; HookCommandError `settings-not-found` for one that was never there. */
  readonly unitData: (unit: string) => Promise<Settings>;
  /** Databag of the remote application; empty when there is none. */
  readonly applicationData: () => Promise<Settings>;
  readonly ourUnitData: () => Promise<Settings>;
  /** HookCommandError `permission-denied` for a minion, but in a peer relation. */
  readonly ourApplicationData: () => Promise<Settings>;
  /** Model of the other side; needs Juju 3.6.2. */
  readonly remoteModelUuid: () => Promise<string>;
  /** Queues changes of our unit's databag; keys that are not named stay as they are. */
  readonly setUnitData: (changes: Readonly<Record<string, Setting>>) => void;
  /** Queues changes of our application's databag; throws AppError at once when this unit does not lead. */
  readonly setApplicationData: (changes: Readonly<Record<string, Setting>>) => Promise<void>;
}

/** What a relation needs of its dispatch. */
export interface RelationDeps {
  readonly context: JujuContext;
  readonly tool: HookTool;
  readonly writes: Writes;
  readonly isLeader: () => Promise<boolean>;
}

/** A relation of ours as Juju has it, without queued writes, for the comparison before writing. */
export interface OpenedRelation {
  readonly relation: Relation;
  readonly stored: (scope: "unit" | "application") => Promise<Settings>;
}

/** Opens `ref` without asking Juju anything yet. */
export function openRelation(ref: RelationRef, deps: RelationDeps): OpenedRelation {
  const { context, tool, writes } = deps;
  const key = relationKey(ref);
  const unitBag = oncePerKey((unit) => relationGet(tool, ref, { unit }));
  const applicationBag = oncePerKey((application) => relationGet(tool, ref, { application }));
  const units = once(() => relationList(tool, ref));
  const application = once(async () => {
    const event = context.relation;
    if (event?.id === ref.id && event.remoteApplication !== null) return event.remoteApplication;
    const [unit] = await units();
    return unit === undefined ? await relationApplication(tool, ref) : applicationOf(unit);
  });
  const model = once(() => relationModelGet(tool, ref));
  const stored = async (scope: "unit" | "application"): Promise<Settings> =>
    scope === "unit" ? await unitBag(context.unit) : await applicationBag(context.application);

  const relation: Relation = {
    id: ref.id,
    endpoint: ref.endpoint,
    key,
    remoteApplication: application,
    remoteUnits: units,
    unitData: unitBag,
    applicationData: async () => {
      const name = await application();
      return name === null ? {} : await applicationBag(name);
    },
    ourUnitData: async () => withQueued(writes, ref, "unit", await stored("unit")),
    ourApplicationData: async () => withQueued(writes, ref, "application", await stored("application")),
    remoteModelUuid: model,
    setUnitData: (changes) => queueSettings(writes, ref, "unit", changes),
    setApplicationData: async (changes) => {
      if (!(await deps.isLeader())) {
        throw new AppError(
          `cannot write the application data of relation ${key}: this unit is not the leader`,
        );
      }
      queueSettings(writes, ref, "application", changes);
    },
  };
  return { relation, stored };
}
