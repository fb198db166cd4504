import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exec, type ExecResult } from "../../../src/base/exec.ts";
import { REPOSITORY } from "../../support/charm.ts";
import { parseJuju, type JujuLine } from "../../support/docs/juju-syntax.ts";
import { fencesOf, readPage, readPages } from "../../support/docs/pages.ts";
import { openReader, type Reader } from "../../support/docs/perform.ts";
import { recordCommands } from "../../support/docs/record-commands.ts";

const TUTORIAL = "docs/tutorial/first-image.md";
/** These take something away that other pages count on. */
const REMOVE = "docs/how-to/remove.md";
const LAST = ["docs/how-to/several-units.md", REMOVE];

let reader: Reader;

/** What a page does with Juju, block by block. */
async function blocksOf(path: string): Promise<readonly (readonly JujuLine[])[]> {
  const page = await readPage(path);
  const all: JujuLine[][] = [];
  // variables of one block are there in the next
  const blocks = fencesOf(page, "sh");
  let before = 0;
  for (const [at] of blocks.entries()) {
    const lines = await recordCommands(blocks.slice(0, at + 1).join("\n"));
    all.push(
      lines
        .slice(before)
        .filter(([name]) => name === "juju")
        .map(([, ...words]) => parseJuju(words)),
    );
    before = lines.length;
  }
  return all;
}

const howTos = (await readPages())
  .map(({ path }) => path)
  .filter((path) => path.startsWith("docs/how-to/") && !LAST.includes(path));

beforeAll(async () => {
  reader = await openReader();
});

afterAll(async () => {
  await reader[Symbol.asyncDispose]();
});

/** A page is a dozen hooks or more, and each of them a process. */
describe("who does what the pages say", { timeout: 120_000 }, () => {
  test("sees in the tutorial the statuses that it shows", async () => {
    const [deploy = [], check = [], relate = [], look = []] = await blocksOf(TUTORIAL);
    const { text } = await readPage(TUTORIAL);
    const shown = (status: string): string =>
      status.replace(" ", "   ").replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, "");
    for (const line of [...deploy, ...check]) await reader.perform(line);
    expect(text).toContain(shown(reader.status()));
    await reader.endBuilds();
    for (const line of relate) await reader.perform(line);
    expect(reader.status()).toBe("maintenance building noble-x64");
    await reader.endBuilds();
    for (const line of look) await reader.perform(line);
    expect(reader.status()).toMatch(
      /^active noble-x64 of .* \(less than 1 h old\), published to 1 of 1 relations, next build .* UTC$/,
    );
    expect(reader.failures()).toEqual([]);
  });

  test.each([...howTos, ...LAST])("gets through %s", async (path) => {
    const lines = (await blocksOf(path)).flat();
    for (const line of lines) await reader.perform(line);
    await reader.endBuilds();
    expect(reader.failures()).toEqual([]);
    // whatever a page changes, something is published or on its way as long as there is a unit
    expect(reader.status()).toMatch(path === REMOVE ? /^gone$/ : /^(active|maintenance) /);
  });
});

test("the fake Juju shows whoever plays with it what the tutorial shows", { timeout: 120_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "play-"));
  const page = await readPage("docs/tutorial/lab.md");
  const main = [join(REPOSITORY, "lab/juju/main.ts"), "--dir", folder.path];
  const call = async (words: readonly string[]): Promise<ExecResult> =>
    await exec(process.execPath, [...main, ...words], {
      env: {},
      cwd: REPOSITORY,
      signal: AbortSignal.timeout(60_000),
    });
  // the page stops it as well; this is for a test that fails before
  await using _stopped = { [Symbol.asyncDispose]: async () => void (await call(["stop"])) };
  const shown = new Map<string, string>();
  for (const [, , , , fake, ...words] of await recordCommands(fencesOf(page, "sh").join("\n"))) {
    if (fake !== "juju") continue;
    const { code, stdout, stderr } = await call(words);
    expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: "" });
    shown.set(words[0] ?? "", stdout);
  }
  expect(fencesOf(page, "text")).toEqual([shown.get("status")]);
});
