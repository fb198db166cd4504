import { access, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { exists, isMissing } from "../../../src/base/files.ts";
import { REPOSITORY } from "../../support/charm.ts";
import { anchorsOf, proseOf, readPage, readPages, type Page } from "../../support/docs/pages.ts";

const pages = await readPages();

/** Links and pictures of a page that lead into this repository. */
function linksOf(page: Page): readonly string[] {
  return Array.from(proseOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target).filter(
    (target) => !/^[a-z]+:/.test(target),
  );
}

/** Why `target` on the page `from` leads nowhere; null when it leads somewhere. */
async function flawOf(from: string, target: string): Promise<string | null> {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? from : join(dirname(from), path);
  try {
    await access(join(REPOSITORY, file));
  } catch (error) {
    if (!isMissing(error)) throw error;
    return `${from}: there is no ${file}`;
  }
  if (anchor === undefined) return null;
  return anchorsOf(await readPage(file)).has(anchor) ? null : `${from}: ${file} has no heading ${anchor}`;
}

test("all links between pages lead to a file, and to a heading where they name one", async () => {
  const links = pages.flatMap((page) => linksOf(page).map((target) => [page.path, target] as const));
  expect(links.length).toBeGreaterThan(100);
  const flaws = await Promise.all(links.map(async ([from, target]) => await flawOf(from, target)));
  expect(flaws.filter((flaw) => flaw !== null)).toEqual([]);
});

test("every file of the repository that a page names in code is there", async () => {
  const named = pages.flatMap((page) =>
    Array.from(
      proseOf(page).matchAll(/`((?:bench|examples|lab|scripts|src|terraform|tests)\/[a-z0-9_./-]+)`/g),
      ([, path = ""]) => [page.path, path] as const,
    ),
  );
  expect(named.length).toBeGreaterThan(50);
  const flaws = await Promise.all(
    named.map(async ([from, path]) => ((await exists(join(REPOSITORY, path))) ? null : `${from}: ${path}`)),
  );
  expect(flaws.filter((flaw) => flaw !== null)).toEqual([]);
});

test("pictures are small enough to load at once", async () => {
  const targets = pages.flatMap((page) => linksOf(page).map((target) => join(dirname(page.path), target)));
  const pictures = targets.filter((target) => /\.(svg|png)$/.test(target));
  const sizes = await Promise.all(pictures.map(async (path) => (await stat(join(REPOSITORY, path))).size));
  expect(sizes.filter((size) => size > 300_000)).toEqual([]);
});

test("a link to a file or a heading that there is not is found", async () => {
  expect(await flawOf("README.md", "docs/nothing.md")).toBe("README.md: there is no docs/nothing.md");
  expect(await flawOf("docs/index.md", "reference/limits.md#nothing")).toBe(
    "docs/index.md: docs/reference/limits.md has no heading nothing",
  );
});

test("every page of the documentation can be reached from its index", () => {
  const known = new Map(pages.map((page) => [page.path, page]));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const page = known.get(path);
    if (page === undefined || reached.has(path)) return;
    reached.add(path);
    for (const target of linksOf(page)) visit(join(dirname(path), target.split("#")[0] ?? ""));
  };
  visit("docs/index.md");
  const documented = [...known.keys()].filter(
    (path) => path.startsWith("docs/") && !path.includes("decisions"),
  );
  expect(documented.filter((path) => !reached.has(path))).toEqual([]);
});
