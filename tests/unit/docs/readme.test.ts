import { readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { TAG } from "../../../src/build/names.ts";
import { createProgram } from "../../../src/cli/program.ts";

const read = async (path: string): Promise<string> =>
  await readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
const readme = await read("README.md");
const { options } = load(await read("config.yaml")) as { options: Record<string, unknown> };

test.each(Object.keys(options))("the README tells of the option %s", (option) => {
  expect(readme).toContain(`\`${option}\``);
});

test.each(Object.values(TAG))("the README tells of the tag %s", (tag) => {
  expect(readme).toContain(`.${tag.slice("image-builder.".length)}\``);
});

test("the README tells of every command and its options", () => {
  const { stdout, stderr } = process;
  const signal = new AbortController().signal;
  const program = createProgram({
    env: {},
    stdout,
    stderr,
    signal,
    setExitCode: () => {},
    proxy: () => null,
  });
  for (const command of program.commands) {
    const line = readme.split("\n").find((text) => text.startsWith(`    image-builder ${command.name()} `));
    expect(line).toBeDefined();
    for (const { long } of command.options) expect(line).toContain(long);
  }
});
