/** Hook commands about relations and their databags (juju-rules 3.2). */
import { parseRelationId, relationKey, type RelationRef } from "../context.ts";
import { toList, toObject, toOptionalText, toText, toTexts } from "../decode.ts";
import { requireVersion, runJson, type HookTool } from "../hook-tool.ts";
import { settingsFile } from "../settings-file.ts";

/** Whose databag: of a unit, or (`application`) of all units of an application together. */
export type Databag = { readonly unit: string } | { readonly application: string };

/** The relations of `endpoint`, by id; none for an endpoint that Juju does not know. A broken one may still be listed. */
export async function relationIds(tool: HookTool, endpoint: string): Promise<readonly RelationRef[]> {
  const ids = toList(await runJson(tool, "relation-ids", ["--", endpoint]), "relation-ids");
  // Juju sorts them as texts: image:10 before image:9
  return ids.map(parseRelationId).toSorted((a, b) => a.id - b.id);
}

/** The remote units in scope, ourselves excluded in a peer relation; a departing unit is already missing. */
export async function relationList(tool: HookTool, relation: RelationRef): Promise<readonly string[]> {
  return toList(await runJson(tool, "relation-list", ["-r", relationKey(relation)]), "relation-list");
}

/** The remote application, also when it has no unit; `null` when Juju knows none. */
export async function relationApplication(tool: HookTool, relation: RelationRef): Promise<string | null> {
  const output = await runJson(tool, "relation-list", ["-r", relationKey(relation), "--app"]);
  return toOptionalText(output, "relation-list");
}

/**
 * A databag; empty when nobody wrote to it. Never relies on the agent's defaults. Throws HookCommandError
 * `relation-not-found`, `settings-not-found` (no such unit there), `permission-denied` (our own application's, read by a minion).
 */
export async function relationGet(
  tool: HookTool,
  relation: RelationRef,
  databag: Databag,
): Promise<Readonly<Record<string, string>>> {
  if ("application" in databag) requireVersion(tool, "2.7", "an application's databag");
  const entity = "unit" in databag ? ["-", databag.unit] : ["--app", "-", databag.application];
  return toTexts(
    await runJson(tool, "relation-get", ["-r", relationKey(relation), ...entity]),
    "relation-get",
  );
}

/** Changes our own unit's or (as leader) application's databag when the hook commits; an empty value deletes its key. */
export async function relationSet(
  tool: HookTool,
  relation: RelationRef,
  scope: "unit" | "application",
  changes: Readonly<Record<string, string>>,
): Promise<void> {
  if (scope === "application") requireVersion(tool, "2.7", "an application's databag");
  const flags = scope === "application" ? ["--app"] : [];
  await tool.run("relation-set", ["-r", relationKey(relation), ...flags, "--file", "-"], {
    input: settingsFile(changes),
  });
}

/** UUID of the model on the other side (Juju 3.6.2 and later). */
export async function relationModelGet(tool: HookTool, relation: RelationRef): Promise<string> {
  requireVersion(tool, "3.6.2", "relation-model-get");
  const model = toObject(
    await runJson(tool, "relation-model-get", ["-r", relationKey(relation)]),
    "relation-model-get",
  );
  return toText(model["uuid"], "relation-model-get");
}
