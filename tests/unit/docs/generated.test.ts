import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blocksIn, fillBlocks, markdownTable } from "../../../scripts/docs/blocks.ts";
import { documentedProgram } from "../../../scripts/docs/commands.ts";
import { readActions, readOptions } from "../../../scripts/docs/declarations.ts";
import { documentedPages } from "../../../scripts/docs/pages.ts";
import { REPOSITORY } from "../../support/charm.ts";
import { readPage, tableOf } from "../../support/docs/pages.ts";

const read = async (path: string): Promise<string> => await readFile(join(REPOSITORY, path), "utf8");
const pages = await documentedPages(REPOSITORY);
const blocks = pages.flatMap(({ text }) => blocksIn(text));
const namesOf = (kind: string): readonly string[] =>
  blocks.filter(([first]) => first === kind).flatMap(([, ...names]) => names);

test("what pages take from the sources is what the sources say; npm run docs makes it so", () => {
  expect(pages.filter(({ text, wanted }) => text !== wanted).map(({ path }) => path)).toEqual([]);
});

test("every option, action and command is on a page, once", async () => {
  const options = Object.keys(readOptions(await read("config.yaml")));
  expect(namesOf("options").toSorted()).toEqual(options.toSorted());
  const actions = Object.keys(readActions(await read("actions.yaml")));
  expect(namesOf("action").toSorted()).toEqual(actions.toSorted());
  const commands = documentedProgram().commands.map((command) => command.name());
  expect(namesOf("command").toSorted()).toEqual(commands.toSorted());
});

test("every action's results are on the page, and no other's", async () => {
  const rows = tableOf(await readPage("docs/reference/actions.md"), "action").map(([name]) => name);
  expect(rows).toEqual(Object.keys(readActions(await read("actions.yaml"))));
});

test("a block is filled, whatever was in it, and nothing else is touched", () => {
  const page = "a\n<!-- docs options x y -->\nold\n<!-- /docs -->\nb <!-- docs no -->\n";
  const filled = fillBlocks(page, (words) => `${words.join("+")}\n`);
  expect(filled).toBe("a\n<!-- docs options x y -->\noptions+x+y\n<!-- /docs -->\nb <!-- docs no -->\n");
  expect(blocksIn(page)).toEqual([["options", "x", "y"]]);
});

test("a table's cells are one line each, with bars that end none", () => {
  expect(markdownTable(["a"], [["x |\n  y"]])).toBe("| a |\n| --- |\n| x \\| y |\n");
});
