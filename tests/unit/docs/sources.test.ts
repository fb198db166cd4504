import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "../../support/charm.ts";
import { proseOf, readPage, readPages, type Page } from "../../support/docs/pages.ts";

/** Files and folders of the sources that a page names in inline code: `build/scope.ts`, `src/ssh`, `build/service/`. */
function sourcesIn(page: Page): readonly string[] {
  return Array.from(proseOf(page).matchAll(/`([^`\n]+)`/g), ([, code = ""]) => code).filter((code) =>
    /^(?:(?:src|tests|lab|scripts|bench|docs)\/[\w./-]+|[\w-]+(?:\/[\w-]+)*\/[\w-]+\.(?:ts|sh)|(?:base|juju|openstack|ssh|build|charm|cli)\/[\w/-]*\/)$/.test(
      code,
    ),
  );
}

/** Whether `source` is below the repository, `src` or the folder of `page`; tests may be named without their ending. */
function isThere(page: string, source: string): boolean {
  const folders = ["", "src", dirname(page)].map((folder) => join(REPOSITORY, folder, source));
  return folders.some((path) => existsSync(path) || existsSync(`${path}.test.ts`));
}

test("every source that a page names is there", async () => {
  const named = (await readPages())
    .filter(({ path }) => !path.startsWith("docs/decisions/"))
    .flatMap((page) => sourcesIn(page).map((source) => [page.path, source] as const));
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(([page, source]) => !isThere(page, source))).toEqual([]);
});

test("a source that there is not is found", async () => {
  const text = "`build/nothing.ts` `src/base` `build/run-build.ts` `src/nothing`";
  const sources = sourcesIn({ path: "x.md", text });
  expect(sources.map((source) => isThere("x.md", source))).toEqual([false, true, true, false]);
});

test("every script of package.json but those that others start is in CONTRIBUTING", async () => {
  const { scripts } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as {
    scripts: Readonly<Record<string, string>>;
  };
  const { text } = await readPage("CONTRIBUTING.md");
  const { text: readme } = await readPage("README.md");
  const missing = Object.keys(scripts).filter(
    (name) => !new RegExp(`npm (?:run )?${name}\\b`).test(text + readme),
  );
  // lab/README.md is about it alone
  expect(missing).toEqual(["lab"]);
});
