/** The licences of what a charm file holds. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readLock, type LockedPackage } from "./lock.ts";
import { REPOSITORY } from "./repository.ts";
import type { NodeRuntime } from "./node-runtime.ts";

/** Where the table of all licences is. */
export const LICENCE_TABLE = "licenses/README.md";

/** A text below `licenses/`. */
export interface LicenceFile {
  readonly path: string;
  readonly text: string;
}

const LICENCE_FILE = /^(licen[cs]e|copying|notice|unlicense)/i;

/**
 * The licences of Node.js and of the npm packages whose code is in the bundles, by their folders below node_modules;
 * a table of them all, and the GPL, which the LGPL of openpgp adds to. Throws for a package that brings no licence.
 */
export async function licenceFiles(
  node: NodeRuntime,
  folders: ReadonlySet<string>,
): Promise<readonly LicenceFile[]> {
  const lock = await readLock();
  const files: LicenceFile[] = [{ path: "licenses/node.txt", text: node.licence }];
  const rows = [`| Node.js | ${node.version} | MIT, and those of its libraries | [node.txt](node.txt) |`];
  for (const folder of [...folders].toSorted()) {
    const locked = lock(folder);
    const file = `npm/${locked.name}.txt`;
    files.push({ path: `licenses/${file}`, text: await licenceOf(folder, locked) });
    rows.push(`| ${locked.name} | ${locked.version} | ${locked.licence ?? "MIT"} | [${file}](${file}) |`);
  }
  files.push({
    path: "licenses/GPL-3.0.txt",
    text: await readFile(join(REPOSITORY, "scripts/pack/GPL-3.0.txt"), "utf8"),
  });
  return [{ path: LICENCE_TABLE, text: table(rows) }, ...files];
}

function table(rows: readonly string[]): string {
  return `# Licences of what is in this charm

The charm's own code is under the Apache License 2.0 (\`LICENSE\` beside this folder). It carries the program
\`node/bin/node\`, and in \`dist/\` minified code of these npm packages, each unmodified and to be had from the npm
registry in the version given. Code under the LGPL is in a file of its own, \`dist/cli/openpgp-*.mjs\`, that may be
replaced; [GPL-3.0.txt](GPL-3.0.txt) belongs to its licence.

| what | version | licence | text |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
}

async function licenceOf(folder: string, { name }: LockedPackage): Promise<string> {
  const path = join(REPOSITORY, "node_modules", folder);
  const names = (await readdir(path)).toSorted();
  const found = names.filter((file) => LICENCE_FILE.test(file));
  if (found.length > 0) {
    return (await Promise.all(found.map(async (file) => await readFile(join(path, file), "utf8")))).join(
      "\n",
    );
  }
  const readme = names.find((file) => /^readme/i.test(file));
  const text = readme === undefined ? "" : await readFile(join(path, readme), "utf8");
  const [, section] = /^#+ licen[cs]e\n([^]*?)(?=^#|$(?![^]))/im.exec(text) ?? [];
  if (section === undefined) throw new Error(`cannot pack ${name}: it brings no licence`);
  return section.trim() + "\n";
}
