import { expect, test } from "vitest";
import { failuresIn } from "../../../../scripts/test/failures.ts";

const passed = { fullName: "x works", status: "passed", failureMessages: null };
const failed = { fullName: "x fails", status: "failed", failureMessages: ["Error: one\n    at x.ts:1"] };

test("names each failed test with the first line of its error", () => {
  const file = {
    name: "/r/tests/a.test.ts",
    status: "failed",
    message: "",
    assertionResults: [passed, failed],
  };
  expect(failuresIn({ numPassedTests: 1, testResults: [file] }, "/r")).toEqual([
    "tests/a.test.ts: x fails: Error: one",
  ]);
});

test("names a file that failed without a test of it, and a test without a message", () => {
  const broken = {
    name: "/r/b.test.ts",
    status: "failed",
    message: "hook broke\nat y",
    assertionResults: [],
  };
  const mute = { ...failed, failureMessages: [] };
  const file = { name: "/r/c.test.ts", status: "failed", message: "", assertionResults: [mute] };
  const fine = { name: "/r/d.test.ts", status: "passed", message: "", assertionResults: [passed] };
  expect(failuresIn({ numPassedTests: 1, testResults: [broken, file, fine] }, "/r")).toEqual([
    "b.test.ts: hook broke",
    "c.test.ts: x fails: no message",
  ]);
});
