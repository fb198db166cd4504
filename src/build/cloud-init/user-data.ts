/**
 * The user-data script that cloud-init runs in the builder server. It holds no secret:
 * a proxy's credentials come over SSH, see {@link guestSecretsOf}.
 */
import { readAsset } from "../../base/assets.ts";
import type { ImageSpec, Recipe } from "../types.ts";
import { packagesFor } from "./packages.ts";
import { aproxyUpstream, directNetworks, guestSecretsOf, publicVariables } from "./proxy.ts";
import { SECTIONS, sectionsOf } from "./sections.ts";
import { shellQuote } from "./shell-quote.ts";

export { sectionsOf } from "./sections.ts";
export { shellQuote } from "./shell-quote.ts";

/** The release of yq that images get. */
export const YQ_VERSION = "4.53.2";

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
    APROXY_UPSTREAM: aproxyUpstream(recipe) ?? "",
    APROXY_DIRECT: directNetworks(recipe).join(" "),
    ...publicVariables(recipe),
  };
  const sections = sectionsOf(spec, recipe);
  const [head, ...texts] = await Promise.all([frame(), ...sections.map(sectionText)]);
  return [
    head,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`),
    ...texts.map((text, index) => `cat > "$run/sections/${sections[index]}" <<'${END}'\n${text}${END}\n`),
    guestSecretsOf(recipe) === null ? "" : "await_proxy\n",
    ...sections.map((name) => `section ${name}\n`),
    `echo ${shellQuote(buildId)} > "$run/done"\n`,
  ].join("");
}

const frame = async (): Promise<string> => await readAsset(new URL("frame.sh", import.meta.url));

async function sectionText(name: string): Promise<string> {
  return await readAsset(new URL(`sections/${name}.sh`, import.meta.url));
}

/** Reads all that user-data may be made of. */
export async function loadSections(): Promise<void> {
  await Promise.all([frame(), ...SECTIONS.map(({ name }) => sectionText(name))]);
}
