/** The licences of what the charm holds. */
import { LICENCE_TABLE } from "../pack/licences.ts";
import { textOf, type CharmPackage } from "./package.ts";

/** A row of the table: what, version, licence, file. */
const ROW = /^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| \[[^\]]*\]\(([^)]+)\) \|$/gm;

/**
 * What the licences lack: each row of the table a text, each text a row, Node.js and each of `packages` (the names
 * in the registry of what must be in the bundles) a row.
 */
export function licenceProblems(charm: CharmPackage, packages: readonly string[]): readonly string[] {
  const table = textOf(charm, LICENCE_TABLE);
  if (table === undefined) return [`${LICENCE_TABLE}: is missing`];
  const problems: string[] = [];
  if (!/Apache License\s+Version 2\.0/.test(textOf(charm, "LICENSE") ?? ""))
    problems.push("LICENSE: is not the Apache License 2.0");
  const rows = [...table.matchAll(ROW)].map(([, what = "", , licence = "", file = ""]) => ({
    what,
    licence,
    file,
  }));
  for (const { what, file } of rows) {
    if ((textOf(charm, `licenses/${file}`) ?? "").trim().length < 200)
      problems.push(`licenses/${file}: is missing or empty, the licence of ${what}`);
  }
  const known = new Set(
    ["README.md", "GPL-3.0.txt", ...rows.map(({ file }) => file)].map((file) => `licenses/${file}`),
  );
  for (const path of charm.files.keys()) {
    if (path.startsWith("licenses/") && !known.has(path))
      problems.push(`${path}: is of nothing in ${LICENCE_TABLE}`);
  }
  for (const name of ["Node.js", ...packages]) {
    if (!rows.some(({ what }) => what === name)) problems.push(`${LICENCE_TABLE}: says nothing of ${name}`);
  }
  if (
    rows.some(({ licence }) => /L?GPL/.test(licence)) &&
    textOf(charm, "licenses/GPL-3.0.txt") === undefined
  )
    problems.push("licenses/GPL-3.0.txt: is missing, which the LGPL refers to");
  return problems;
}
