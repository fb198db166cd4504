import { access, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
const PAGE = join(REPOSITORY, "docs/reference/juju-rules.md");

interface Rule {
  readonly number: string;
  readonly module: string;
  /** Path below tests/, and the test's title. */
  readonly path: string;
  readonly title: string;
}

/** The rows of the page's tables; a row that does not read as one is an error. */
async function rules(): Promise<readonly Rule[]> {
  const rows = (await readFile(PAGE, "utf8")).split("\n").filter((line) => /^\| \d/.test(line));
  return rows.map((row) => {
    const [number = "", , module = "", test = ""] = row
      .replace(/^\| | \|$/g, "")
      .split(" | ")
      .map((cell) => cell.trim());
    const at = test.indexOf(": ");
    if (at < 0) throw new Error(`cannot read the row ${row}`);
    return { number, module, path: test.slice(0, at), title: test.slice(at + 2) };
  });
}

/** Titles of tests in `text`: the first argument of `test(`, `it(` and of what their `each` gives. */
function titlesIn(text: string): ReadonlySet<string> {
  const titles = text.matchAll(/(?:\b(?:test|it)\(|\)\()\s*(["'`])((?:(?!\1)[^\\\n])*)\1/g);
  return new Set(Array.from(titles, ([, , title = ""]) => title));
}

test("every rule names a module and a test that exist", async () => {
  const all = await rules();
  expect(all.length).toBeGreaterThan(80);
  const missing: string[] = [];
  for (const { module, path, title } of all) {
    const file = /^(lab\/|scripts\/|dispatch$|[a-z]+\.yaml$)/.test(module) ? module : join("src", module);
    await access(join(REPOSITORY, file));
    const text = await readFile(join(REPOSITORY, "tests", path), "utf8");
    if (!titlesIn(text).has(title)) missing.push(`${path}: ${title}`);
  }
  expect(missing).toEqual([]);
});

test("a title that stands in a comment or a string is no test", () => {
  expect([...titlesIn(`// test x\ntest("a", () => expect("b"))\ntest.each([["c"]])(\n  "d %s",\n`)]).toEqual([
    "a",
    "d %s",
  ]);
});

test("every module of the framework says which rules it relies on, and the page has them", async () => {
  const sections = new Set((await readFile(PAGE, "utf8")).match(/(?<=^## )[\d.]+/gm));
  const numbers = new Set((await rules()).map(({ number }) => number));
  const folder = join(REPOSITORY, "src/juju");
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(20);
  for (const name of files) {
    const text = await readFile(join(folder, name), "utf8");
    expect(text).toMatch(/^\/\*\*/);
    const cited = text.match(/(?<=\(juju-rules )[\d., ]+(?=\))/g)?.flatMap((list) => list.split(", ")) ?? [];
    // the index only lists
    expect([name, cited.length > 0]).toEqual([name, name !== "index.ts"]);
    for (const number of cited)
      expect([name, number, sections.has(number) || numbers.has(number)]).toEqual([name, number, true]);
  }
});
