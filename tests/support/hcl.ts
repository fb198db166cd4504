/** HCL as plain objects, for tests of Terraform files. */
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

// not imported: its types bring the browser's globals, with which the rest of the sources does not agree
const { parse } = createRequire(import.meta.url)("@cdktn/hcl2json") as {
  readonly parse: (name: string, text: string) => Promise<unknown>;
};

/** Blocks by type, labels and then a list of bodies; expressions are texts in `${}`. */
export type Hcl = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** All blocks of the `.tf` files in `folder`. */
export async function readModule(folder: string): Promise<Hcl> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".tf"));
  const files = await Promise.all(names.map(async (name) => await readHcl(join(folder, name))));
  const blocks: Record<string, Record<string, unknown>> = {};
  for (const file of files)
    for (const [type, labels] of Object.entries(file)) blocks[type] = { ...blocks[type], ...labels };
  return blocks;
}

/** The blocks of one file. Throws for what is not HCL. */
export async function readHcl(path: string): Promise<Hcl> {
  return (await parse(path, await readFile(path, "utf8"))) as Hcl;
}

/** The only body of `labels` under `type`, such as `body(hcl, "resource", "juju_application", "this")`. */
export function body(
  hcl: Hcl,
  type: string,
  ...labels: readonly string[]
): Readonly<Record<string, unknown>> {
  let found: unknown = hcl[type];
  for (const label of labels) found = (found as Record<string, unknown> | undefined)?.[label];
  if (!Array.isArray(found) || found.length !== 1) throw new Error(`not one ${type} ${labels.join(" ")}`);
  return found[0] as Readonly<Record<string, unknown>>;
}
