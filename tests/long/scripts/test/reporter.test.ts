import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { OUTCOME_FILE, type Outcome } from "../../../../scripts/test/reporter.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

const FAILING = `
import { afterAll, describe, expect, test } from "vitest";
test("is fine", () => expect(1).toBe(1));
test("compares", () => expect(["server x ACTIVE"]).toEqual([]));
test("has several lines", () => { throw new TypeError("first\\nsecond"); });
test("says much", () => { throw new Error("x".repeat(1000)); });
test("says nothing", () => { throw new Error(""); });
test("cannot clean up either", async () => {
  await using stack = new AsyncDisposableStack();
  stack.defer(() => { throw new AggregateError([new Error("server stays"), new Error("image stays")], "two things stay"); });
  expect(["failed"]).toEqual(["done"]);
});
describe("with a hook", () => {
  afterAll(() => { throw new Error("hook broke"); });
  test("is fine too", () => expect(1).toBe(1));
});
`;

test("tells each failure in a line, with the errors within errors and what an assertion got", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reporter-"));
  stack.defer(() => rm(folder, { recursive: true }));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "a.test.ts"), FAILING);
  await writeFile(join(folder, "b.test.ts"), 'import "./absent.ts";');
  await writeFile(
    join(folder, "c.test.ts"),
    'import { test } from "vitest"; test("ends well", ({ expect }) => { void Promise.reject(new Error("nobody waits")); expect(1).toBe(1); });',
  );
  const file = join(folder, "outcome.json");
  const vitest = spawn(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      `--reporter=${join(root, "scripts/test/reporter.ts")}`,
    ],
    { cwd: folder, stdio: "ignore", env: { ...process.env, [OUTCOME_FILE]: file } },
  );
  stack.defer(() => void vitest.kill("SIGKILL"));
  expect(await once(vitest, "close")).toEqual([1, null]);
  const { passed, failures } = JSON.parse(await readFile(file, "utf8")) as Outcome;
  expect(passed).toBe(3);
  expect([...failures].sort()).toEqual([
    expect.stringMatching(
      /^a\.test\.ts: cannot clean up either: AssertionError: expected .*, got \["failed"\]; and then, cleaning up: AggregateError: two things stay \[Error: server stays; Error: image stays\]$/,
    ),
    expect.stringMatching(
      /^a\.test\.ts: compares: AssertionError: expected .*, got \[ "server x ACTIVE", \]$/,
    ),
    "a.test.ts: has several lines: TypeError: first",
    `a.test.ts: says much: Error: ${"x".repeat(300)}…`,
    "a.test.ts: says nothing: Error: no message",
    "a.test.ts: with a hook: Error: hook broke",
    expect.stringMatching(/^b\.test\.ts: Error: .*absent/),
    "outside of tests: Error: nobody waits",
  ]);
});
