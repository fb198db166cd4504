/** Issues the queued writes: first everything is read and compared, then only what differs is written (juju-rules 1.4). */
import { AppError } from "../base/errors.ts";
import type { HookTool } from "./hook-tool.ts";
import {
  closePort,
  openedPorts,
  openPort,
  storageAdd,
  stateDelete,
  stateGetAll,
  stateSet,
} from "./hook-commands/machine.ts";
import { jujuReboot } from "./hook-commands/identity.ts";
import { relationSet } from "./hook-commands/relation.ts";
import {
  secretAdd,
  secretGet,
  secretGrant,
  secretRemove,
  secretRevoke,
  secretSet,
  type SecretContent,
} from "./hook-commands/secret.ts";
import type { DatabagChanges, NewSecret, SecretOrder, Setting, Writes } from "./writes.ts";

/** Gives a databag of ours as Juju has it now, without the queued changes. */
export type ReadDatabag = (changes: DatabagChanges) => Promise<Readonly<Record<string, string>>>;

/**
 * Writes what differs from Juju's own view, one call per databag, secret and state. Secrets are made first,
 * because databags name them. Throws the first failure; inside a hook Juju then discards the others.
 */
export async function flushWrites(tool: HookTool, writes: Writes, readDatabag: ReadDatabag): Promise<void> {
  const [databags, secrets, state, ports] = await Promise.all([
    changedDatabags(writes, readDatabag),
    changedSecrets(tool, writes),
    changedState(tool, writes),
    changedPorts(tool, writes),
  ]);

  const uris = new Map<NewSecret, string>();
  for (const secret of writes.newSecrets) {
    uris.set(secret, await secretAdd(tool, secret.owner, secret.content, secret.metadata));
  }
  for (const [id, { content, metadata }] of secrets)
    await secretSet(tool, `secret:${id}`, content ?? {}, metadata);
  const grants = writes.secretOrders.filter((order) => order.order === "grant");
  for (const order of grants) await issue(tool, order, uris);

  for (const { relation, scope, changes } of databags) {
    const settings = Array.from(changes, ([key, value]): [string, string] => [
      key,
      settingValue(value, uris),
    ]);
    await relationSet(tool, relation, scope, Object.fromEntries(settings));
  }
  if (state.set.length > 0) await stateSet(tool, Object.fromEntries(state.set));
  for (const key of state.deleted) await stateDelete(tool, key);
  // an overlap with a port that is about to be closed would be refused
  for (const [port, open] of ports.toSorted((a, b) => Number(a[1]) - Number(b[1]))) {
    await (open ? openPort(tool, port) : closePort(tool, port));
  }
  const others = writes.secretOrders.filter((order) => order.order !== "grant");
  for (const order of others) await issue(tool, order, uris);
  for (const [name, count] of writes.storages) await storageAdd(tool, name, count);
  if (writes.orders.has("reboot")) await jujuReboot(tool, false);
}

function settingValue(setting: Setting, uris: ReadonlyMap<NewSecret, string>): string {
  if (setting === null) return "";
  return typeof setting === "string" ? setting : uriOf(setting, uris);
}

function uriOf(secret: NewSecret, uris: ReadonlyMap<NewSecret, string>): string {
  const uri = uris.get(secret);
  if (uri === undefined)
    throw new AppError(`cannot name the secret ${secret.newSecret}: another dispatch queued it`);
  return uri;
}

async function issue(
  tool: HookTool,
  order: SecretOrder,
  uris: ReadonlyMap<NewSecret, string>,
): Promise<void> {
  switch (order.order) {
    case "grant": {
      const id = typeof order.secret === "string" ? order.secret : uriOf(order.secret, uris);
      return await secretGrant(tool, id, order.relation, order.unit ?? undefined);
    }
    case "revoke":
      return await secretRevoke(tool, order.secret, { relation: order.relation });
    case "remove":
      return await secretRemove(tool, order.secret, order.revision ?? undefined);
  }
}

async function changedDatabags(writes: Writes, read: ReadDatabag): Promise<readonly DatabagChanges[]> {
  const databags = await Promise.all(
    writes.databags.values().map(async (databag) => {
      const current = await read(databag);
      const changes = new Map(
        [...databag.changes].filter(([key, value]) => (current[key] ?? null) !== value),
      );
      return { ...databag, changes };
    }),
  );
  return databags.filter((databag) => databag.changes.size > 0);
}

async function changedSecrets(tool: HookTool, writes: Writes) {
  const secrets = await Promise.all(
    writes.secrets.entries().map(async ([id, { content, metadata }]) => {
      const isSame =
        content !== null && sameContent(await secretGet(tool, { id: `secret:${id}` }, "peek"), content);
      return [id, { content: isSame ? null : content, metadata }] as const;
    }),
  );
  return secrets.filter(([, { content, metadata }]) => content !== null || Object.keys(metadata).length > 0);
}

function sameContent(a: SecretContent, b: SecretContent): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

async function changedState(tool: HookTool, writes: Writes) {
  const current = writes.state.size === 0 ? {} : await stateGetAll(tool);
  const set: [string, string][] = [];
  const deleted: string[] = [];
  for (const [key, value] of writes.state) {
    if (value === null) {
      if (key in current) deleted.push(key);
    } else if (current[key] !== value) set.push([key, value]);
  }
  return { set, deleted };
}

async function changedPorts(tool: HookTool, writes: Writes) {
  const current = writes.ports.size === 0 ? [] : await openedPorts(tool);
  return [...writes.ports].filter(([port, open]) => current.includes(port) !== open);
}
