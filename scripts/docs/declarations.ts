/** Tables of what config.yaml and actions.yaml declare. */
import { load } from "js-yaml";
import { markdownTable } from "./blocks.ts";

interface Declared {
  readonly type: string;
  readonly default?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly description: string;
}

/** Options by name, in the file's order. */
export type Options = Readonly<Record<string, Declared>>;
/** Actions by name, in the file's order. */
export type Actions = Readonly<
  Record<string, { readonly description: string; readonly params?: Readonly<Record<string, Declared>> }>
>;

/** The options in the text of config.yaml. */
export const readOptions = (yaml: string): Options => (load(yaml) as { options: Options }).options;
/** The actions in the text of actions.yaml. */
export const readActions = (yaml: string): Actions => load(yaml) as Actions;

/** A table of the options `names`; throws for one that config.yaml does not have. */
export function optionTable(options: Options, names: readonly string[]): string {
  const rows = names.map((name) => {
    const option = options[name];
    if (option === undefined) throw new Error(`config.yaml has no option ${name}`);
    return [`\`${name}\``, option.type, valueText(option.default), option.description];
  });
  return markdownTable(["option", "type", "default", "meaning"], rows);
}

/** The action `name` with its parameters. */
export function actionText(actions: Actions, name: string): string {
  const action = actions[name];
  if (action === undefined) throw new Error(`actions.yaml has no action ${name}`);
  const rows = Object.entries(action.params ?? {}).map(([parameter, declared]) => [
    `\`${parameter}\``,
    declared.enum?.join(" or ") ?? declared.type,
    valueText(declared.default),
    declared.description,
  ]);
  const table =
    rows.length === 0 ? "" : `\n${markdownTable(["parameter", "type", "default", "meaning"], rows)}`;
  return `${action.description.trim()}\n${table}`;
}

function valueText(value: Declared["default"]): string {
  return value === undefined || value === "" ? "" : `\`${String(value)}\``;
}
