import { expect, test } from "vitest";
import { jujuVersion } from "../../../src/juju/version.ts";

test.each([
  ["3.6.9", "3.6.9"],
  ["3.6.10", "3.6.9"],
  ["4.0.0", "3.6.9"],
  ["3.6.9.1", "3.6.9"],
  ["4.0.0", "4.0-rc1"],
  ["4.0-rc1", "4.0-beta3"],
  ["4.0-beta10", "4.0-beta9"],
  ["3.7-rc1.2", "3.7-rc1"],
  ["3.3.1", "3.3"],
])("%s is at least %s", (own, other) => {
  expect(jujuVersion(own).atLeast(other)).toBe(true);
});

test.each([
  ["3.6.8", "3.6.9"],
  ["2.9.50", "3.0.3"],
  ["4.0-rc1", "4.0.0"],
  ["4.0-beta1", "4.0-rc1"],
])("%s is older than %s", (own, other) => {
  expect(jujuVersion(own).atLeast(other)).toBe(false);
});

test("a missing version is older than every release", () => {
  expect(jujuVersion(null).atLeast("2.0")).toBe(false);
  expect(jujuVersion(null).text).toBe("0.0.0");
});
