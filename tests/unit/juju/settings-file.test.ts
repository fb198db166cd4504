import { load } from "js-yaml";
import { expect, test } from "vitest";
import { settingsFile } from "../../../src/juju/settings-file.ts";

test.each([
  ["a C1 control that YAML 1.1 folds to a blank", "a\u0085b"],
  ["DEL and C1 controls that YAML rejects", "\u007f\u0080\u009f"],
  ["line separators", "a\u2028b\u2029c"],
  ["a byte order mark and non-characters", "\ufeff\ufffe\uffff"],
  ["quotes, backslashes and line breaks", `"'\\\n\r\t`],
  ["what reads as another YAML type", "yes"],
  ["a leading dash and a colon", "- a: b # c"],
  ["blanks at both ends", "  padded  "],
  ["NUL in a value", "a\0b"],
  ["an astral character", "image 😀"],
])("%s comes back unchanged", (_what, text) => {
  expect(load(settingsFile({ key: text }))).toEqual({ key: text });
});

test("leaves no raw character that YAML 1.1 alters", () => {
  const all = Array.from({ length: 0x10000 }, (_, code) => code)
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCharCode(code))
    .join("");
  const written = settingsFile({ all });
  // eslint-disable-next-line no-control-regex
  expect(written).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/);
  expect(load(written)).toEqual({ all });
});

test("keeps astral characters raw, because YAML 1.1 joins no surrogate escapes", () => {
  expect(settingsFile({ key: "😀" })).toBe('{"key":"😀"}');
});

test.each([
  ["half of a surrogate pair", { key: "\ud83d" }],
  ["NUL in a key", { "a\0": "b" }],
  ["an empty key", { "": "b" }],
  ["a key over 1024 characters", { ["k".repeat(1025)]: "b" }],
])("refuses %s", (_what, settings) => {
  expect(() => settingsFile(settings)).toThrow("cannot write the key");
});
