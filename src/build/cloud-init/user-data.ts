/** The user-data script that cloud-init runs in the builder server. It holds no secret. */
import { readFile } from "node:fs/promises";
import type { ImageSpec, Recipe } from "../types.ts";
import { packagesFor } from "./packages.ts";
import { sectionsOf } from "./sections.ts";

export { sectionsOf } from "./sections.ts";

/** The release of yq that images get. */
const YQ_VERSION = "4.53.2";

/** Ends an embedded file; no section contains this line. */
const END = "IMAGE_BUILDER_SECTION";

/**
 * The script for `spec`; `runnerVersion` is the resolved one. It leaves `/run/image-builder/done` with the
 * build's id when all went well, `/run/image-builder/failed` with the section's name otherwise.
 */
export async function userData(
  spec: ImageSpec,
  recipe: Recipe,
  runnerVersion: string,
  buildId: string,
): Promise<string> {
  const variables = {
    APT_MIRROR: recipe.aptMirror,
    PACKAGES: packagesFor(spec, recipe.packages).join(" "),
    SNAPS: recipe.snaps.join(" "),
    NPM_PACKAGES: recipe.npmPackages.join(" "),
    YQ_MIRROR: recipe.yqMirror.replace(/\/+$/, ""),
    YQ_VERSION,
    RUNNER_ARCH: spec.arch,
    RUNNER_VERSION: runnerVersion,
    RUNNER_MIRROR: recipe.runnerMirror.replace(/\/+$/, ""),
    ...proxyVariables(recipe),
  };
  const sections = sectionsOf(spec, recipe);
  const [frame, ...texts] = await Promise.all([
    readFile(new URL("frame.sh", import.meta.url), "utf8"),
    ...sections.map((name) => readFile(new URL(`sections/${name}.sh`, import.meta.url), "utf8")),
  ]);
  return [
    frame,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`),
    ...texts.map((text, index) => `cat > "$run/sections/${sections[index]}" <<'${END}'\n${text}${END}\n`),
    ...sections.map((name) => `section ${name}\n`),
    `echo ${shellQuote(buildId)} > "$run/done"\n`,
  ].join("");
}

function proxyVariables(recipe: Recipe): Record<string, string> {
  const { http, https, noProxy } = recipe.proxy;
  return Object.fromEntries(
    [
      ["http_proxy", http],
      ["https_proxy", https],
      ["no_proxy", noProxy],
    ].filter(([, value]) => value !== ""),
  ) as Record<string, string>;
}

/** `value` as one word of POSIX shell. */
export function shellQuote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
