/** The recipe's sections as a table: what they are called, in which order they run and what they apply to. */
import type { ImageSpec, Recipe } from "../types.ts";
import { packagesFor } from "./packages.ts";
import { aproxyUpstream } from "./proxy.ts";

/** One part of the recipe; its script is `sections/<name>.sh`. */
export interface Section {
  /** Also what statuses and logs call it. */
  readonly name: string;
  /** Whether `spec` made by `recipe` needs it. */
  readonly applies: (spec: ImageSpec, recipe: Recipe) => boolean;
}

const always = (): boolean => true;

/** All sections, in the order in which they run. */
export const SECTIONS: readonly Section[] = [
  { name: "hostname", applies: always },
  { name: "unattended-upgrades", applies: always },
  { name: "apt-sources", applies: always },
  { name: "armhf", applies: ({ arch }) => arch === "arm" },
  // focal's own archive has no gh
  {
    name: "github-cli",
    applies: (spec, recipe) => spec.base === "focal" && packagesFor(spec, recipe.packages).includes("gh"),
  },
  // a site with a mirror of its own may not reach the PPA: there only who wants a package from it needs it
  {
    name: "dotnet",
    applies: (spec, recipe) =>
      spec.base === "resolute" && (recipe.aptMirror === "" || hasDotnet(spec, recipe)),
  },
  { name: "packages", applies: always },
  { name: "sysctl", applies: always },
  { name: "users", applies: always },
  {
    name: "rustup",
    applies: (spec, recipe) => spec.arch === "arm" && packagesFor(spec, recipe.packages).includes("rustup"),
  },
  { name: "snaps", applies: (_spec, { snaps }) => snaps.length > 0 },
  { name: "aproxy", applies: (_spec, recipe) => aproxyUpstream(recipe) !== null },
  // focal's npm is too old for what is in the registry today
  {
    name: "npm-packages",
    applies: ({ base }, { npmPackages }) => npmPackages.length > 0 && base !== "focal",
  },
  { name: "yq", applies: (_spec, { yqMirror }) => yqMirror !== "" },
  { name: "runner", applies: always },
];

function hasDotnet(spec: ImageSpec, recipe: Recipe): boolean {
  return packagesFor(spec, recipe.packages).some((name) => /^(dotnet|aspnetcore)-/.test(name));
}

/** Names of the sections that `spec` made by `recipe` gets, in the order in which they run. */
export function sectionsOf(spec: ImageSpec, recipe: Recipe): readonly string[] {
  return SECTIONS.filter(({ applies }) => applies(spec, recipe)).map(({ name }) => name);
}
