/** `image-builder diff A B`: what changed between two images, from their manifests. */
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ConfigError } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";
import { readBuild } from "../../build/history.ts";
import { compareContents, type Change } from "../../build/manifest/compare.ts";
import type { Component } from "../../build/manifest/manifest.ts";
import { parseSpdx } from "../../build/manifest/spdx.ts";
import { manifestFile } from "../../build/steps/manifest.ts";
import { specName } from "../../build/types.ts";
import type { Terminal } from "../program.ts";

/** What to compare: manifest files, or folders of builds, whose image is `image` where they have several. */
export interface DiffOptions {
  readonly before: string;
  readonly after: string;
  /** `noble-x64`; null where each build has one image only. */
  readonly image: string | null;
  readonly json: boolean;
}

/** Writes what changed. Exit code 0 also when something did; {@link ConfigError} when a manifest cannot be read. */
export async function diffCommand(options: DiffOptions, terminal: Terminal): Promise<void> {
  const [before, after] = await Promise.all([
    read(options.before, options.image),
    read(options.after, options.image),
  ]);
  const changes = compareContents(before, after);
  terminal.stdout.write(options.json ? `${JSON.stringify(changes, null, 2)}\n` : table(changes));
}

async function read(place: string, image: string | null): Promise<readonly Component[]> {
  const path = await manifestOf(place, image);
  try {
    return parseSpdx(await readFile(path, "utf8"), path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ConfigError([`there is no manifest ${path}; a build writes it before it cleans the guest`], {
      cause: error,
    });
  }
}

async function manifestOf(place: string, image: string | null): Promise<string> {
  try {
    if ((await stat(place)).isFile()) return place;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ConfigError([`there is no build and no manifest ${place}`], { cause: error });
  }
  const build = await readBuild(place);
  if (build === null) throw new ConfigError([`there is no build in ${place}`]);
  const images = build.request.images.map(specName);
  const [only] = images;
  if (image === null && only !== undefined && images.length === 1) return join(place, manifestFile(only));
  if (image !== null && images.includes(image)) return join(place, manifestFile(image));
  throw new ConfigError([
    `build ${basename(build.folder)} has ${image === null ? "several images" : `no image ${image}`}; ` +
      `name one with --image: ${images.join(", ")}`,
  ]);
}

function table(changes: readonly Change[]): string {
  if (changes.length === 0) return "nothing changed\n";
  const width = Math.max(...changes.map(({ name }) => name.length));
  return changes
    .map(({ kind, name, before, after }) => {
      const sign = before === null ? "+" : after === null ? "-" : "~";
      const versions = [before, after].filter((version) => version !== null).join(" -> ");
      return `${sign} ${kind.padEnd(5)}  ${name.padEnd(width)}  ${versions}\n`;
    })
    .join("");
}
