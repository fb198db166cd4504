/** `secret-get`, `secret-info-get`, `secret-ids` (contract 3.2). */
import { CommandFailure, UsageFailure } from "../failures.ts";
import {
  decodeContent,
  mayManage,
  ownedSecrets,
  readableSecret,
  secretId,
  type Secret,
  type SecretContent,
} from "../secrets.ts";
import { atMost, firstValue, noFlags, type Call, type Command } from "./command.ts";

/** The id of the secret that this unit knows by `label`: as consumer, or as owner. */
function idByLabel(call: Call, label: string): string | undefined {
  const { context, model, unit } = call;
  for (const [id, secret] of context.pending.newSecrets) if (secret.metadata.label === label) return id;
  for (const [id, secret] of model.secrets) if (secret.consumers.get(unit.name)?.label === label) return id;
  return ownedSecrets(model, unit.application, unit).find(({ metadata }) => metadata.label === label)?.id;
}

/** The id that the first word or `--label` names. */
export function namedId(call: Call): string {
  const label = firstValue(call, "label");
  const [word] = call.line.parameters;
  if (word !== undefined) return secretId(word);
  if (label === undefined) throw new UsageFailure("require either a secret URI or label");
  const id = idByLabel(call, label);
  if (id === undefined) throw new CommandFailure(`secret with label "${label}" not found`);
  return id;
}

/** What a get shows: pending content of our own first, then by what this unit tracks. Tracking takes effect at once. */
function content(call: Call, id: string): SecretContent {
  const { context, model, unit } = call;
  const fresh = context.pending.newSecrets.get(id);
  const written = context.pending.secretChanges.get(id)?.content ?? fresh?.revisions.get(fresh.latest);
  if (written !== undefined) return written;
  const secret = readableSecret(model, unit, id);
  const known = secret.consumers.get(unit.name);
  const peek = call.line.flags.has("peek");
  const revision =
    peek || known === undefined || call.line.flags.has("refresh") ? secret.latest : known.tracked;
  const label = firstValue(call, "label");
  if (!peek || known !== undefined) {
    const tracked = peek ? (known?.tracked ?? revision) : revision;
    secret.consumers.set(unit.name, { tracked, label: label ?? known?.label ?? "" });
  }
  const found = secret.revisions.get(revision);
  if (found === undefined) throw new CommandFailure(`secret revision ${revision} of "${id}" not found`);
  return found;
}

const secretGet: Command = {
  flags: () => [
    { names: ["label"], kind: "string" },
    { names: ["peek"], kind: "bool" },
    { names: ["refresh"], kind: "bool" },
  ],
  output: "yaml",
  formats: ["yaml", "json"],
  since: [3, 0],
  run: (call) => {
    if (call.line.flags.has("peek") && call.line.flags.has("refresh")) {
      throw new UsageFailure("specify one of --peek or --refresh but not both");
    }
    atMost(call, 2);
    const values = content(call, namedId(call));
    const [, key] = call.line.parameters;
    if (key === undefined) return decodeContent(values);
    const [name = "", form] = key.split("#");
    const text = values.get(name);
    if (text === undefined) throw new CommandFailure(`key "${name}" not found`);
    return form === "base64" ? text : decodeContent(values)[name];
  },
};

const secretInfoGet: Command = {
  flags: () => [{ names: ["label"], kind: "string" }],
  output: "yaml",
  formats: ["yaml", "json"],
  since: [3, 0],
  run: (call) => {
    if (call.line.parameters.length > 0 && firstValue(call, "label") !== undefined) {
      throw new UsageFailure("specify either a secret URI or label but not both");
    }
    atMost(call, 1);
    const id = namedId(call);
    const secret = call.context.pending.newSecrets.get(id) ?? call.model.secrets.get(id);
    if (secret === undefined || !mayManage(secret, call.unit))
      throw new CommandFailure(`secret "${id}" not found`);
    return { [id]: describeSecret(secret) };
  },
};

function describeSecret({ metadata, owner, latest, grants }: Secret): Record<string, unknown> {
  const access = [...grants].map(([target, relation]) => ({
    target: target.includes("/") ? `unit-${target.replace("/", "-")}` : `application-${target}`,
    ...(relation === undefined ? {} : { scope: `relation-${relation}` }),
    role: "view",
  }));
  return {
    revision: latest,
    label: metadata.label,
    owner: owner.kind,
    ...(metadata.description === "" ? {} : { description: metadata.description }),
    rotation: metadata.rotate,
    ...(metadata.expire === "" ? {} : { expiry: metadata.expire }),
    ...(metadata.rotates === "" ? {} : { rotates: metadata.rotates }),
    ...(access.length === 0 ? {} : { access }),
  };
}

const secretIds: Command = {
  flags: noFlags,
  output: "smart",
  since: [3, 0],
  run: (call) => {
    atMost(call, 0);
    const ids = ownedSecrets(call.model, call.unit.application, call.unit)
      .filter((secret) => mayManage(secret, call.unit))
      .map(({ id }) => id);
    const all = [...ids, ...call.context.pending.newSecrets.keys()].toSorted();
    return all.length === 0 ? null : all;
  },
};

/** The commands that read secrets. */
export const secretReadCommands: Readonly<Record<string, Command>> = {
  "secret-get": secretGet,
  "secret-info-get": secretInfoGet,
  "secret-ids": secretIds,
};
