/** This unit as the charm sees it: lazy, asked once per dispatch, with the queued writes applied (juju-rules 4.4). */
import { relationKey, type JujuContext, type RelationRef } from "./context.ts";
import type { HookTool } from "./hook-tool.ts";
import { flushWrites } from "./flush.ts";
import {
  configGet,
  credentialGet,
  goalState,
  isLeader,
  type CloudCredential,
  type ConfigValue,
  type GoalState,
} from "./hook-commands/identity.ts";
import {
  networkGet,
  openedPorts,
  resourceGet,
  stateGetAll,
  storageGet,
  storageList,
  type NetworkInfo,
  type Port,
  type StorageInfo,
} from "./hook-commands/machine.ts";
import { relationIds } from "./hook-commands/relation.ts";
import type { SecretContent, SecretMetadata, SecretRef } from "./hook-commands/secret.ts";
import { once, oncePerKey } from "./once.ts";
import { openRelation, type OpenedRelation, type Relation } from "./relation.ts";
import { secretOpener, type Secret } from "./secrets.ts";
import { emptyWrites, merged, queueNewSecret, queueState, type NewSecret } from "./writes.ts";

/** The options of the charm that have a value. */
export type RawConfig = Readonly<Record<string, ConfigValue>>;

/** Text that the controller keeps for this unit, transactional with the hook. */
export interface UnitState {
  /** `null` when the key was never set; an empty text is a value. */
  readonly get: (key: string) => Promise<string | null>;
  readonly set: (key: string, value: string) => void;
  readonly delete: (key: string) => void;
}

/** Open ports of this unit. */
export interface UnitPorts {
  readonly opened: () => Promise<readonly string[]>;
  readonly open: (port: Port) => void;
  readonly close: (port: Port) => void;
}

/** This unit. */
export interface Unit {
  readonly name: string;
  readonly application: string;
  /** Asked again after 30 seconds, which is how long Juju vouches for it. */
  readonly isLeader: () => Promise<boolean>;
  readonly config: () => Promise<RawConfig>;
  /** The relations of `endpoint` by id, without the one that this very dispatch breaks. */
  readonly relations: (endpoint: string) => Promise<readonly Relation[]>;
  /** The relation this hook is about, also when it is being broken. */
  readonly eventRelation: Relation | null;
  readonly secret: (ref: SecretRef) => Secret;
  /** Queues a new secret; put the result into a databag as the value of a key, or grant it. */
  readonly addSecret: (
    owner: "application" | "unit",
    content: SecretContent,
    metadata: SecretMetadata,
  ) => NewSecret;
  /** Queues a grant of a secret queued in this dispatch. */
  readonly grantNewSecret: (secret: NewSecret, relation: RelationRef) => void;
  readonly state: UnitState;
  readonly ports: UnitPorts;
  /** Addresses for an endpoint or extra binding; HookCommandError `network-not-found` for an unknown one. */
  readonly network: (binding: string) => Promise<NetworkInfo>;
  /** Ids (`data/0`) of the storage instances of one name. */
  readonly storages: (name: string) => Promise<readonly string[]>;
  readonly storage: (id: string) => Promise<StorageInfo>;
  /** Queues a demand for `count` more instances of a storage. */
  readonly addStorage: (name: string, count: number) => void;
  /** Queues a reboot of the machine after this hook's success; Juju refuses it in actions. */
  readonly reboot: () => void;
  /** Path of a resource of the charm, downloaded first where it has to be. */
  readonly resource: (name: string) => Promise<string>;
  readonly goalState: () => Promise<GoalState>;
  /** The model's cloud credential; HookCommandError `permission-denied` without `juju trust`. */
  readonly credential: () => Promise<CloudCredential>;
}

/** A unit and the one way to make its queued writes real. */
export interface OpenedUnit {
  readonly unit: Unit;
  /** Issues the queued writes; call it once, after the handler has succeeded. */
  readonly flush: () => Promise<void>;
}

const LEADERSHIP_MS = 30_000;

/** Opens the unit of `context` without asking Juju anything yet. */
export function openUnit(context: JujuContext, tool: HookTool): OpenedUnit {
  const writes = emptyWrites();
  const config = once(() => configGet(tool));
  const state = once(() => stateGetAll(tool));
  const ports = once(() => openedPorts(tool));

  let leadership = { asked: -Infinity, answer: Promise.resolve(false) };
  const leads = async (): Promise<boolean> => {
    if (performance.now() - leadership.asked > LEADERSHIP_MS) {
      leadership = { asked: performance.now(), answer: isLeader(tool) };
    }
    return await leadership.answer;
  };

  const opened = new Map<string, OpenedRelation>();
  const open = (ref: RelationRef): OpenedRelation => {
    const known = opened.get(relationKey(ref));
    if (known !== undefined) return known;
    const relation = openRelation(ref, { context, tool, writes, isLeader: leads });
    opened.set(relationKey(ref), relation);
    return relation;
  };
  const broken = context.eventName.endsWith("-relation-broken") ? context.relation : null;
  const relations = oncePerKey(async (endpoint) => {
    const refs = await relationIds(tool, endpoint);
    return refs.filter((ref) => ref.id !== broken?.id).map((ref) => open(ref).relation);
  });

  const unit: Unit = {
    name: context.unit,
    application: context.application,
    isLeader: leads,
    config,
    relations,
    eventRelation: context.relation === null ? null : open(context.relation).relation,
    secret: secretOpener(tool, writes),
    addSecret: (owner, content, metadata) => queueNewSecret(writes, owner, content, metadata),
    grantNewSecret: (secret, relation) => {
      writes.secretOrders.push({ order: "grant", secret, relation, unit: null });
    },
    state: {
      get: async (key) => merged(await state(), writes.state)[key] ?? null,
      set: (key, value) => queueState(writes, key, value),
      delete: (key) => queueState(writes, key, null),
    },
    ports: {
      opened: async () => {
        const closed = [...writes.ports].filter(([, isOpen]) => !isOpen).map(([port]) => port as string);
        const added = [...writes.ports].filter(([, isOpen]) => isOpen).map(([port]) => port as string);
        return [...new Set([...(await ports()), ...added])].filter((port) => !closed.includes(port));
      },
      open: (port) => void writes.ports.set(port, true),
      close: (port) => void writes.ports.set(port, false),
    },
    network: oncePerKey((binding) => networkGet(tool, binding)),
    storages: oncePerKey((name) => storageList(tool, name)),
    storage: oncePerKey((id) => storageGet(tool, id)),
    addStorage: (name, count) => void writes.storages.set(name, (writes.storages.get(name) ?? 0) + count),
    reboot: () => void writes.orders.add("reboot"),
    resource: oncePerKey((name) => resourceGet(tool, name)),
    goalState: once(() => goalState(tool)),
    credential: once(() => credentialGet(tool)),
  };
  const flush = async (): Promise<void> =>
    await flushWrites(tool, writes, ({ relation, scope }) => open(relation).stored(scope));
  return { unit, flush };
}
