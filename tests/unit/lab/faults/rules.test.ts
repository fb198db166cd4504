import { describe, expect, test } from "vitest";
import { faultChooser, parseRules, ruleOf, type Fault } from "../../../../lab/faults/rules.ts";

const down: Fault = { kind: "status", status: 503 };
const call = { service: "image", method: "GET", path: "/v2/images" } as const;

describe("rules", () => {
  test("take the nth matching call and so many more", () => {
    const choose = faultChooser([ruleOf(down, { service: "image", nth: 2, times: 2 })]);
    const other = { ...call, service: "compute" } as const;
    const faults = [call, other, call, other, call, call].map(choose);
    expect(faults).toEqual([null, null, down, null, down, null]);
  });

  test("without an end take all from the nth on", () => {
    const choose = faultChooser([ruleOf(down, { nth: 2, times: null })]);
    expect([call, call, call, call].map(choose)).toEqual([null, down, down, down]);
  });

  test("are tried in their order, and each counts what it matches", () => {
    const hang: Fault = { kind: "hang", when: "before" };
    const choose = faultChooser([ruleOf(hang, { path: "/images$" }), ruleOf(down, { nth: 2 })]);
    expect([call, call, call].map(choose)).toEqual([hang, down, null]);
  });

  test("are read from JSON with their defaults", () => {
    expect(parseRules('[{"method":"PUT","fault":{"kind":"close","when":"after"}}]')).toEqual([
      ruleOf({ kind: "close", when: "after" }, { method: "PUT" }),
    ]);
  });

  test.each([
    ["[", "fault rules: the text: "],
    ['[{"fault":{"kind":"close","when":"now"}}]', "fault rules: 0.fault.when: "],
    ['[{"path":"(","fault":{"kind":"delay","ms":1}}]', "fault rules: 0.path: must be a regular expression"],
    ['[{"paht":"","fault":{"kind":"delay","ms":1}}]', "fault rules: 0.paht: "],
  ])("%s is refused", (text, message) => {
    expect(() => parseRules(text)).toThrow(message);
  });
});
