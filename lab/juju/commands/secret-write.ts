/** `secret-add`, `-set`, `-grant`, `-revoke`, `-remove`: all wait for the commit (contract 3.2). */
import { readFileSync } from "node:fs";
import type { FlagSpec } from "../command-line.ts";
import { CommandFailure, UsageFailure } from "../failures.ts";
import { atLeast, otherSide } from "../model.ts";
import {
  checkSecretKey,
  mayManage,
  newSecretId,
  NO_METADATA,
  secretId,
  type Secret,
  type SecretContent,
  type SecretMetadata,
} from "../secrets.ts";
import { expiryTime, nextRotation } from "../secret-times.ts";
import { readStringMap } from "../yaml.ts";
import { atMost, firstValue, isLeader, keyValues, readInput, relationFlag, relationOf } from "./command.ts";
import type { Call, Command } from "./command.ts";

const contentFlags = (): readonly FlagSpec[] =>
  ["label", "description", "owner", "file", "expire", "rotate"].map(
    (name) => ({ names: [name], kind: "string" }) as const,
  );

function metadataOf(call: Call): Partial<SecretMetadata> {
  const [expire, rotate] = [firstValue(call, "expire"), firstValue(call, "rotate")];
  const times = {
    ...(expire === undefined ? {} : { expire: expiryTime(expire, Date.now()) }),
    ...(rotate === undefined ? {} : { rotate, rotates: nextRotation(rotate, new Date()) }),
  };
  const [label, description] = [firstValue(call, "label"), firstValue(call, "description")];
  return {
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
    ...times,
  };
}

/** Content of `key=value`, `key#base64=`, `key#file=` words and of `--file`. */
function contentOf(call: Call, words: readonly string[]): SecretContent {
  const pairs = keyValues(words, false);
  const file = firstValue(call, "file");
  if (file !== undefined)
    for (const [key, value] of readStringMap(readInput(call, file))) pairs.set(key, value);
  return new Map(
    [...pairs].map(([name, value]) => {
      const [key = "", form] = name.split("#");
      checkSecretKey(key);
      if (form === "base64") return [key, value];
      return [key, (form === "file" ? agentFile(call, value) : Buffer.from(value)).toString("base64")];
    }),
  );
}

function agentFile(call: Call, path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    call.files[path] = bytes.toString("utf8");
    return bytes;
  } catch (error) {
    throw new CommandFailure(`reading content from file: open ${path}: no such file or directory`, {
      cause: error,
    });
  }
}

const secretAdd: Command = {
  flags: contentFlags,
  output: "raw",
  since: [3, 0],
  run: (call) => {
    if (call.line.parameters.length === 0 && firstValue(call, "file") === undefined)
      throw new UsageFailure("missing secret value or filename");
    const metadata = metadataOf(call);
    const owner = firstValue(call, "owner") ?? "application";
    if (owner !== "application" && owner !== "unit") {
      throw new UsageFailure(`secret owner ${JSON.stringify(owner)} not valid`);
    }
    const content = contentOf(call, call.line.parameters);
    if (content.size === 0) throw new CommandFailure("empty secret value not valid");
    if (owner === "application" && !isLeader(call)) throw new CommandFailure("this unit is not the leader");
    const secret: Secret = {
      id: newSecretId(),
      owner: { kind: owner, name: owner === "unit" ? call.unit.name : call.unit.application.name },
      metadata: { ...NO_METADATA, ...metadata },
      revisions: new Map([[1, content]]),
      latest: 1,
      grants: new Map(),
      consumers: new Map(),
    };
    call.context.pending.newSecrets.set(secret.id, secret);
    return `secret:${secret.id}\n`;
  },
};

const secretSet: Command = {
  flags: contentFlags,
  output: "raw",
  since: [3, 0],
  run: (call) => {
    const [uri, ...words] = call.line.parameters;
    if (uri === undefined) throw new UsageFailure("missing secret URI");
    const id = secretId(uri);
    const metadata = metadataOf(call);
    const content = contentOf(call, words);
    const { newSecrets, secretChanges } = call.context.pending;
    const fresh = newSecrets.get(id);
    if (fresh !== undefined) {
      fresh.metadata = { ...fresh.metadata, ...metadata };
      if (content.size > 0) fresh.revisions.set(1, content);
      return "";
    }
    // before 3.6 the last set of a hook replaced the earlier ones
    const known = atLeast(call.model, 3, 6) ? secretChanges.get(id) : undefined;
    secretChanges.set(id, {
      metadata: { ...known?.metadata, ...metadata },
      content: content.size > 0 ? content : known?.content,
    });
    return "";
  },
};

function manageable(call: Call, id: string): Secret | undefined {
  const secret = call.context.pending.newSecrets.get(id) ?? call.model.secrets.get(id);
  return secret !== undefined && mayManage(secret, call.unit) ? secret : undefined;
}

const secretGrant: Command = {
  flags: (_, context) => [relationFlag(context), { names: ["unit"], kind: "string" }],
  output: "raw",
  since: [3, 0],
  run: (call) => {
    const [uri] = call.line.parameters;
    if (uri === undefined) throw new UsageFailure("missing secret URI");
    atMost(call, 1);
    const id = secretId(uri);
    const relation = relationOf(call);
    const remote = otherSide(relation, call.unit.application).application.name;
    const unit = firstValue(call, "unit");
    if (unit !== undefined && unit.replace(/\/.*$/, "") !== remote) {
      throw new UsageFailure(`cannot specify unit "${unit}" in relation to application "${remote}"`);
    }
    if (manageable(call, id) === undefined) throw new CommandFailure(`secret "${id}" not found`);
    call.context.pending.grants.push({ id, subject: unit ?? remote, relation: relation.id });
    return "";
  },
};

/** Whose access a revoke takes: the unit's or application's that is named, else that of the relation's other side. */
function revokedFrom(call: Call): readonly string[] {
  const [app, unit] = [firstValue(call, "app"), firstValue(call, "unit")];
  if (app !== undefined && unit !== undefined)
    throw new UsageFailure("specify only one of application or unit");
  const inRelation = firstValue(call, "relation") !== undefined || call.context.relation !== undefined;
  if (inRelation && app !== undefined) throw new UsageFailure("do not specify both relation and app");
  const named = unit ?? app;
  if (named !== undefined) return [named];
  if (!inRelation) throw new UsageFailure("missing relation or application or unit");
  return [otherSide(relationOf(call), call.unit.application).application.name];
}

const secretRevoke: Command = {
  flags: (_, context) => [
    relationFlag(context),
    { names: ["app", "application"], kind: "string" },
    { names: ["unit"], kind: "string" },
  ],
  output: "raw",
  since: [3, 0],
  run: (call) => {
    const [uri] = call.line.parameters;
    if (uri === undefined) throw new UsageFailure("missing secret URI");
    atMost(call, 1);
    const id = secretId(uri);
    const subjects = revokedFrom(call);
    if (manageable(call, id) !== undefined) call.context.pending.revokes.push({ id, subjects });
    return "";
  },
};

const secretRemove: Command = {
  flags: () => [{ names: ["revision"], kind: "string" }],
  output: "raw",
  since: [3, 0],
  run: (call) => {
    const [uri] = call.line.parameters;
    if (uri === undefined) throw new UsageFailure("missing secret URI");
    atMost(call, 1);
    const id = secretId(uri);
    const revision = firstValue(call, "revision");
    const { newSecrets, removals } = call.context.pending;
    if (newSecrets.delete(id)) return "";
    removals.push({ id, revision: revision === undefined ? undefined : Number(revision) });
    return "";
  },
};

/** The commands that write secrets. */
export const secretWriteCommands: Readonly<Record<string, Command>> = {
  "secret-add": secretAdd,
  "secret-set": secretSet,
  "secret-grant": secretGrant,
  "secret-revoke": secretRevoke,
  "secret-remove": secretRemove,
};
