/** `image-builder diff A B`: what changed between two images, from their manifests. */
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ConfigError } from "../../base/errors.ts";
import { isMissing, readOptional } from "../../base/files.ts";
import { listBuilds, readBuild, type Build } from "../../build/history.ts";
import { compareContents, type Change } from "../../build/manifest/compare.ts";
import type { Component } from "../../build/manifest/manifest.ts";
import { parseSpdx } from "../../build/manifest/spdx.ts";
import { manifestFile } from "../../build/steps/manifest.ts";
import { specName } from "../../build/types.ts";
import type { Terminal } from "../program.ts";

/** What to compare: manifest files, folders of builds, or ids of builds or of images in OpenStack. */
export interface DiffOptions {
  readonly before: string;
  readonly after: string;
  /** `noble-x64`: which image of a build that has several; null where none is named. */
  readonly image: string | null;
  /** The folder that holds the builds that ids are of; null where none is named. */
  readonly builds: string | null;
  readonly json: boolean;
}

/** Writes what changed. Exit code 0 also when something did; {@link ConfigError} when a manifest cannot be read. */
export async function diffCommand(options: DiffOptions, terminal: Terminal): Promise<void> {
  const [before, after] = await Promise.all([read(options.before, options), read(options.after, options)]);
  const changes = compareContents(before, after);
  terminal.stdout.write(options.json ? `${JSON.stringify(changes, null, 2)}\n` : table(changes));
}

type Where = Pick<DiffOptions, "image" | "builds">;

async function read(place: string, where: Where): Promise<readonly Component[]> {
  const path = await manifestOf(place, where);
  const json = await readOptional(path);
  if (json === undefined) {
    throw new ConfigError([`there is no manifest ${path}; a build writes it before it cleans the guest`]);
  }
  return parseSpdx(json, path);
}

async function manifestOf(place: string, { image, builds }: Where): Promise<string> {
  try {
    if ((await stat(place)).isFile()) return place;
    const build = await readBuild(place);
    if (build === null) throw new ConfigError([`there is no build in ${place}`]);
    return manifestIn(build, image);
  } catch (error) {
    // what stands below a file is missing too
    const isBelowFile = error instanceof Error && "code" in error && error.code === "ENOTDIR";
    if (!isMissing(error) && !isBelowFile) throw error;
  }
  for (const build of builds === null ? [] : await listBuilds(builds)) {
    if (build.id === place) return manifestIn(build, image);
    const copy = build.artifacts.find(({ imageId }) => imageId === place);
    if (copy !== undefined) return manifestIn(build, specName(copy.spec));
  }
  throw new ConfigError([
    builds === null
      ? `there is no build and no manifest ${place}; for the id of a build or an image name the folder of all builds with --builds`
      : `${builds} has no build ${place}, and none that made an image with that id`,
  ]);
}

function manifestIn({ folder, request }: Build, image: string | null): string {
  const images = request.images.map(specName);
  const [only] = images;
  if (image === null && only !== undefined && images.length === 1) return join(folder, manifestFile(only));
  if (image !== null && images.includes(image)) return join(folder, manifestFile(image));
  throw new ConfigError([
    `build ${basename(folder)} has ${image === null ? "several images" : `no image ${image}`}; ` +
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
