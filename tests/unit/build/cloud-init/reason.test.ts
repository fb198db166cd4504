import { describe, expect, test } from "vitest";
import { tellingLine } from "../../../../src/build/cloud-init/reason.ts";

describe("tellingLine", () => {
  test.each([
    [
      "apt's own word over what follows it",
      [
        "Reading package lists...",
        "E: Unable to locate package nonsuch",
        "try 4 failed: apt-get install nonsuch",
      ],
      "E: Unable to locate package nonsuch",
    ],
    [
      "dpkg's word over apt's remark on its exit code",
      [
        "dpkg: error processing package x (--configure):",
        "Errors were encountered while processing:",
        " x",
        "E: Sub-process /usr/bin/dpkg returned an error code (1)",
      ],
      "dpkg: error processing package x (--configure):",
    ],
    [
      "curl's last try",
      [
        "curl: (6) Could not resolve host: a",
        "try 1 failed: curl",
        "curl: (28) Timed out",
        "== section yq failed",
      ],
      "curl: (28) Timed out",
    ],
    [
      "a line that speaks of an error",
      ["all is well", "bash: line 3: nft: command not found", "bye"],
      "bash: line 3: nft: command not found",
    ],
    ["the last line when none does", ["one", "two", "", "  "], "two"],
    ["not the names of packages that hold the word", ["Setting up liberror-perl", "gone"], "gone"],
  ])("takes %s", (_what, lines, line) => {
    expect(tellingLine(lines)).toBe(line);
  });

  test("has nothing to tell of no output", () => {
    expect(tellingLine(["", "== section one", "try 1 failed: x"])).toBe(null);
  });
});
