import { describe, expect, test } from "vitest";
import {
  AppError,
  asError,
  ConfigError,
  describe as textOf,
  formatDuration,
} from "../../../src/base/errors.ts";

describe("the text of an error", () => {
  test("tells an error and its causes in one line", () => {
    const error = new AppError("cannot launch\n the builder", {
      cause: new Error("cannot create a server", { cause: new Error("HTTP 403") }),
    });
    expect(textOf(error)).toBe("cannot launch the builder: cannot create a server: HTTP 403");
  });

  test("says nothing twice", () => {
    const error = new Error("cannot sign in: HTTP 401", {
      cause: new Error("HTTP 401", { cause: new Error("") }),
    });
    expect(textOf(error)).toBe("cannot sign in: HTTP 401");
  });

  test("ends for a chain of causes that is a circle", () => {
    const error = new Error("a");
    error.cause = error;
    expect(textOf(error)).toBe("a");
  });

  test.each([
    ["text", "text"],
    [undefined, ""],
    [7, "7"],
  ])("takes whatever was thrown: %j", (thrown, text) => {
    expect(textOf(thrown)).toBe(text);
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0ms"],
    [850.4, "850ms"],
    [1000, "1s"],
    [12_400, "12s"],
    [59_400, "59s"],
    [60_000, "1m00s"],
    [185_000, "3m05s"],
    [3_599_000, "59m59s"],
    [3_720_000, "1h02m"],
    [90_000_000, "25h00m"],
  ])("writes %i ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

test("an error has its class's name, its cause, and for config all problems", () => {
  const cause = new Error("x");
  const error = new ConfigError(["a: wrong", "b: missing"], { cause });
  expect(error).toMatchObject({ name: "ConfigError", message: "a: wrong; b: missing", cause });
  expect(error.problems).toEqual(["a: wrong", "b: missing"]);
  expect(asError(error)).toBe(error);
  expect(asError("x").message).toBe("x");
});
