/** Puts a charm's files where its unit runs them. */
import { cp, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../src/base/errors.ts";
import { readOptional } from "../../src/base/files.ts";
import { readYaml, writeYaml } from "./yaml.ts";

/** Keys of charmcraft.yaml that are no part of metadata.yaml (contract 6.1). */
const NOT_METADATA = new Set([
  "type",
  "base",
  "bases",
  "build-base",
  "platforms",
  "parts",
  "config",
  "actions",
  "analysis",
  "charmcraft",
  "charm-libs",
  "links",
  "title",
]);

/**
 * Copies the charm at `source` to `target`, or links it (`link`: for charms too large to copy; they must hold
 * a metadata.yaml). Makes metadata.yaml, config.yaml and actions.yaml from a unified charmcraft.yaml, as
 * packing does. Removes files of `before`, the last revision, that the new one lacks; gives the new list.
 */
export async function placeCharm(
  source: string,
  target: string,
  link: boolean,
  before: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  if (link) {
    await rm(target, { recursive: true, force: true });
    await symlink(source, target);
    return new Set();
  }
  await mkdir(target, { recursive: true });
  const files = await filesOf(source);
  for (const old of before) if (!files.has(old)) await rm(join(target, old), { force: true });
  await cp(source, target, { recursive: true, force: true, verbatimSymlinks: true });
  await splitCharmcraft(source, target);
  return files;
}

/** The charm's files, by their paths below its folder. */
export async function filesOf(source: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return new Set(files.map(({ parentPath, name }) => join(parentPath, name).slice(source.length + 1)));
}

/** Refuses a charm without bases, as Juju 4 does (contract 0.10): from manifest.yaml, or what packing would put there. */
export async function checkBases(source: string): Promise<void> {
  const texts = await Promise.all(
    ["manifest.yaml", "charmcraft.yaml"].map(async (name) => readOptional(join(source, name))),
  );
  const keys = texts.flatMap((text) => (text === undefined ? [] : Object.keys(readYaml(text) as object)));
  if (!["bases", "base", "platforms"].some((key) => keys.includes(key))) {
    throw new AppError("charm metadata without bases in manifest");
  }
}

async function splitCharmcraft(source: string, target: string): Promise<void> {
  const text = await readOptional(join(source, "charmcraft.yaml"));
  if (text === undefined) return;
  const unified = readYaml(text) as Readonly<Record<string, unknown>>;
  const metadata = Object.fromEntries(Object.entries(unified).filter(([key]) => !NOT_METADATA.has(key)));
  const parts: readonly (readonly [string, unknown])[] = [
    ["metadata.yaml", metadata],
    ["config.yaml", unified["config"]],
    ["actions.yaml", unified["actions"]],
  ];
  for (const [name, content] of parts) {
    if (content === undefined || (await readOptional(join(source, name))) !== undefined) continue;
    await writeFile(join(target, name), writeYaml(content));
  }
}
