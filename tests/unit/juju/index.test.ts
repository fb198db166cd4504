import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const LIST_IMPORTS = fileURLToPath(new URL("../../support/list-imports.ts", import.meta.url));
const INDEX = new URL("../../../src/juju/index.ts", import.meta.url).href;

test("importing the framework loads no package, so that idle hooks stay cheap", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [LIST_IMPORTS, INDEX]);
  const loaded = stdout.trim().split("\n");
  expect(loaded).toContain(INDEX);
  expect(loaded.filter((url) => url.includes("node_modules"))).toEqual([]);
});
