import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { adminUsage } from "../../../lab/juju/cli/admin.ts";
import { documentedProgram } from "../../../scripts/docs/commands.ts";
import { REPOSITORY } from "../../support/charm.ts";
import { checkNames, parseJuju, readDeclared } from "../../support/docs/juju-syntax.ts";
import { fencesOf, readPages } from "../../support/docs/pages.ts";
import { recordCommands } from "../../support/docs/record-commands.ts";

const declared = await readDeclared();
const { scripts } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as {
  scripts: Readonly<Record<string, string>>;
};
const LAB = ["up", "down", "status", "env", "reset", "faults"];

/** Parses `words` by the real command line without running anything; throws what commander throws. */
async function parseImageBuilder(words: readonly string[]): Promise<void> {
  const program = documentedProgram();
  for (const command of [program, ...program.commands])
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const command of program.commands) command.action(() => {});
  await program.parseAsync(words, { from: "user" });
}

function checkNpm(words: readonly string[]): void {
  const [verb = "", ...rest] = words.filter((word) => word !== "-s");
  if (verb === "test") return;
  const [script = "", dashes, command = "", name = ""] = rest;
  if (verb !== "run" || !Object.hasOwn(scripts, script)) throw new Error(`there is no npm ${verb} ${script}`);
  if (script !== "lab") return;
  const isKnown =
    command === "juju"
      ? name === "start" ||
        name === "stop" ||
        name === "--help" ||
        `\n${adminUsage()}`.includes(`\n  ${name} `)
      : LAB.includes(command);
  if (dashes !== "--" || !isKnown) throw new Error(`the lab has no ${command} ${name}`);
}

/** Throws a sentence about what is wrong with one command line of a page. */
async function checkCommand([program = "", ...words]: readonly string[]): Promise<void> {
  if (program === "juju") {
    const line = parseJuju(words);
    checkNames(line, declared);
    const { command, words: inner } = line;
    // what runs on the unit's machine
    const remote = command === "ssh" ? inner.slice(1) : command === "exec" ? inner : [];
    if (remote.length > 0) await checkCommand(remote);
  } else if (program === "image-builder" || program === "bin/image-builder") await parseImageBuilder(words);
  else if (program === "sudo") await checkCommand(words);
  else if (program === "npm") checkNpm(words);
}

const pages = await readPages();
const withCommands = pages.filter((page) => fencesOf(page, "sh").length > 0);

describe("the commands of pages", () => {
  test.each(withCommands.map((page) => [page.path, page] as const))(
    "%s: a shell runs them, and each is one that there is",
    async (_, page) => {
      const problems: string[] = [];
      const lines = await recordCommands(fencesOf(page, "sh").join("\n"));
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        await checkCommand(line).catch((error: unknown) =>
          problems.push(`${line.join(" ")}: ${String(error)}`),
        );
      }
      expect(problems).toEqual([]);
    },
  );

  test.each([
    [["juju", "config", "image-builder", "base-images=noble"], /no option base-images/],
    [["juju", "config", "image-builder", "--reset", "schedule,shedule"], /no option shedule/],
    [["juju", "deploy", "./x.charm", "image-builder", "--config", "arch=x64"], /no option arch/],
    [["juju", "run", "image-builder/leader", "build"], /no action build/],
    [["juju", "run", "image-builder/0", "run", "base=noble"], /no parameter base/],
    [["juju", "integrate", "image-builder:images", "github-runner"], /no endpoint images/],
    [["juju", "relate", "a", "b"], /juju relate is not among/],
    [["juju", "refresh", "x", "--switch", "ch:y", "--revision", "1"], /takes one of revision, switch/],
    [["juju", "status", "--wait=1m"], /juju status has no flag --wait/],
    [["juju", "ssh", "image-builder/0", "sudo", "image-builder", "prune"], /required option/],
    [["image-builder", "prune", "--request", "x", "--force"], /unknown option/],
    [["npm", "run", "trie"], /no npm run trie/],
    [["npm", "run", "lab", "--", "juju", "dance"], /the lab has no juju dance/],
  ])("are checked: %j is found out", async (words, message) => {
    await expect(checkCommand(words)).rejects.toThrow(message);
  });

  test("are checked: a shell finds no program that pages do not name", async () => {
    await expect(recordCommands("frobnicate --all")).rejects.toThrow(/frobnicate: not found/);
  });
});
