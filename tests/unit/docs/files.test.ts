import { expect, test } from "vitest";
import { PID_FILE, REQUEST_FILE, WAITING_FILE } from "../../../src/build/history.ts";
import { JOURNAL_FILE } from "../../../src/build/journal.ts";
import { pathsOf } from "../../../src/build/paths.ts";
import { TRACES_FILE } from "../../../src/build/python-charm/traces.ts";
import { BUILD_LOG_FILE } from "../../../src/build/start-build.ts";
import { manifestFile } from "../../../src/build/steps/manifest.ts";
import { readPage, tableOf } from "../../support/docs/pages.ts";

const page = await readPage("docs/reference/files.md");
/** Made by the builder, which knows no paths but its own folder's. */
const BUILDERS = ["check-releases.log", "builds/.downloads", TRACES_FILE];

const firstCells = (head: string): readonly string[] =>
  tableOf(page, head)
    .map(([cell = ""]) => cell)
    .toSorted();

test("the page has every path of the charm's own, and no other", () => {
  const { jujuExec: _, systemd: __, ...own } = pathsOf("/", "<app>/<n>");
  const paths = [...Object.values(own), ...BUILDERS.map((name) => `${own.state}/${name}`)];
  expect(firstCells("path")).toEqual(paths.toSorted());
});

test("the page has every file of a build's folder, and no other", () => {
  const files = [
    REQUEST_FILE,
    JOURNAL_FILE,
    BUILD_LOG_FILE,
    PID_FILE,
    WAITING_FILE,
    manifestFile("<base>-<arch>"),
  ];
  expect(firstCells("file")).toEqual(files.toSorted());
});
