import { expect, test } from "vitest";
import { registerSecret } from "../../../../src/base/redact.ts";
import {
  actionFail,
  actionLog,
  actionSet,
  flattenResults,
  jujuLog,
} from "../../../../src/juju/hook-commands/action.ts";
import { createHookTools } from "../../../support/hook-tools.ts";

test("nested results become dotted keys", () => {
  const flat = flattenResults({ image: { id: "a", size: 3 }, ok: true });
  expect(Object.fromEntries(flat)).toEqual({ "image.id": "a", "image.size": "3", ok: "true" });
});

test.each([
  [{ stdout: "x" }, `"stdout" is reserved by Juju`],
  [{ a: { "stderr-encoding": "x" } }, `"stderr-encoding" is reserved by Juju`],
  [{ Upper: "x" }, "is not made of"],
  [{ snake_case: "x" }, "is not made of"],
  [{ "a-": "x" }, "is not made of"],
  [{ "": "x" }, "is not made of"],
  [{ "a..b": "x" }, "is not made of"],
  [{ "a.b": "x", a: { b: "y" } }, "it is given twice"],
  [{ a: "x", "a.b": "y" }, `"a" is a value already`],
])("refuses the results %j", (results, message) => {
  expect(() => flattenResults(results)).toThrow(message);
});

test("one call sets all results, after the end of flags", async () => {
  await using tools = await createHookTools();
  await actionSet(tools.tool(), { a: "x=y\nz", b: { c: 1 } });
  await actionSet(tools.tool(), {});
  expect((await tools.calls()).map(({ argv }) => argv)).toEqual([["action-set", "--", "a=x=y\nz", "b.c=1"]]);
});

test("messages may begin with a dash, are one line, and hold no secret", async () => {
  await using tools = await createHookTools();
  registerSecret("open-sesame");
  await actionFail(tools.tool(), "--no\nopen-sesame");
  await actionLog(tools.tool(), "-half done");
  expect((await tools.calls()).map(({ argv }) => argv)).toEqual([
    ["action-fail", "--", "--no [redacted]"],
    ["action-log", "--", "-half done"],
  ]);
});

test("a long text is logged in pieces that an argument can hold, no character cut in two", async () => {
  await using tools = await createHookTools();
  const text = `a${"é".repeat(60_000)}\n${"😀".repeat(20_000)}\0end`;
  await jujuLog(tools.tool(), "INFO", text);
  const pieces = (await tools.calls()).map(({ argv }) => argv.at(-1) ?? "");
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.every((piece) => Buffer.byteLength(piece) <= 100_000)).toBe(true);
  expect(pieces.join("")).toBe(text.replace("\0", "\uFFFD"));
});
