/** The zip itself. */
import { staysInside } from "../../lab/juju/charm-file.ts";
import type { CharmPackage, PackageEntry } from "./package.ts";

const LARGEST_MB = 60;

/** What is wrong with the zip: what Juju's agent would not unpack, and what charmcraft would not write (contract 6.3). */
export function archiveProblems({ bytes, entries }: CharmPackage): readonly string[] {
  const problems: string[] = [];
  if (bytes > LARGEST_MB * 1_000_000)
    problems.push(`the file has ${(bytes / 1_000_000).toFixed(1)} MB: ${LARGEST_MB} MB are the most`);
  const paths = entries.map(({ path }) => path);
  for (const path of new Set(paths.filter((path, index) => paths.indexOf(path) !== index)))
    problems.push(`${path}: is in the zip twice`);
  return [...problems, ...entries.flatMap((entry) => entryProblems(entry, paths))];
}

function entryProblems(entry: PackageEntry, paths: readonly string[]): readonly string[] {
  const { path, kind, mode, year, content } = entry;
  const problems: string[] = [];
  if (kind === "other")
    problems.push(`${path}: is neither file, folder nor link, so Juju does not unpack it`);
  if (kind === "link") {
    const target = content.toString("utf8");
    if (!staysInside(path, target))
      problems.push(`${path}: links to ${target}, out of the charm, so Juju does not unpack it`);
    else problems.push(`${path}: is a link, which a charm from charmcraft would hold as a copy`);
  }
  if (kind === "folder" && !paths.some((other) => other.startsWith(`${path}/`)))
    problems.push(`${path}: is an empty folder, which a charm from charmcraft would lack`);
  if (kind === "file" && mode !== 0o644 && mode !== 0o755)
    problems.push(`${path}: has the mode ${mode.toString(8).padStart(4, "0")}, not 0644 or 0755`);
  if (year < 1980) problems.push(`${path}: has a time before 1980`);
  return problems;
}
