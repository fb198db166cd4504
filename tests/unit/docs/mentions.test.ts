import { expect, test } from "vitest";
import { LIMITS, limitOption, type LimitName } from "../../../src/base/limits.ts";
import { SECTIONS } from "../../../src/build/cloud-init/sections.ts";
import { documentedProgram } from "../../../scripts/docs/commands.ts";
import { JUJU_COMMANDS, JUJU_FLAGS, readDeclared } from "../../support/docs/juju-syntax.ts";
import { proseOf, readPages, type Page } from "../../support/docs/pages.ts";

/** Names of others that begin like ours. */
const OTHERS = ["apt-daily", "apt-daily-upgrade", "runner-a", "runner-b", "aproxy", "name"];

const { options, actions } = await readDeclared();
const { commands } = documentedProgram();
const known = new Set([
  ...Object.keys(options),
  ...Object.keys(actions),
  ...Object.values(actions).flatMap(({ params = {} }) => Object.keys(params)),
  ...commands.map((command) => command.name()),
  ...commands.flatMap((command) => command.options.map(({ long }) => long ?? "")),
  ...(Object.keys(LIMITS) as LimitName[]).map(limitOption),
  ...SECTIONS.map(({ name }) => name),
  ...JUJU_COMMANDS,
  ...JUJU_FLAGS,
  ...OTHERS,
]);

/** First words of our hyphenated names; what begins otherwise is somebody else's. */
const beginnings = new Set(
  [...Object.keys(options), ...Object.keys(actions)].map((name) => name.split("-")[0] ?? ""),
);

/** What a page names in inline code and looks like an option, an action, a flag or a `name=value`. */
function namesIn(page: Page): readonly string[] {
  return Array.from(proseOf(page).matchAll(/`([^`\n]+)`/g), ([, code = ""]) => {
    const [, flag, setting, hyphened] =
      /^(--[a-z][a-z-]*)(?![.a-z-])|^([a-z][a-z0-9-]*)=|^([a-z0-9]+(?:-[a-z0-9]+)+)$/.exec(code) ?? [];
    const isOurs = beginnings.has(hyphened?.split("-")[0] ?? "");
    return flag ?? setting ?? (isOurs ? hyphened : undefined) ?? "";
  }).filter((name) => name !== "");
}

/** Lists of packages and of rules have names of their own. */
const pages = (await readPages()).filter(
  ({ path }) => path.startsWith("docs/") && !/decisions|dependencies|juju-rules/.test(path),
);

test.each(pages.map((page) => [page.path, page] as const))(
  "%s names options, actions, parameters and flags that there are",
  (_, page) => {
    expect(namesIn(page).filter((name) => !known.has(name))).toEqual([]);
  },
);

test("a name that there is not is found", () => {
  const text = "`build-intervall` `--aply` `schedul=x` `run` `build-flavor=x` `plain`";
  expect(namesIn({ path: "x.md", text }).filter((name) => !known.has(name))).toEqual([
    "build-intervall",
    "--aply",
    "schedul",
  ]);
});
