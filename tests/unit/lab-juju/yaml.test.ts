import { describe, expect, it } from "vitest";
import { readStringMap } from "../../../lab/juju/yaml.ts";

describe("YAML 1.1 input of --file", () => {
  it("keeps scalars as written, takes null as deletion and raw characters beyond the BMP", () => {
    expect(readStringMap('{"a":"😀","b":yes,"c":1.0,"d":null,"e":010}')).toEqual(
      new Map(Object.entries({ a: "😀", b: "yes", c: "1.0", d: "", e: "010" })),
    );
  });

  it("folds a raw U+0085 to a space, but not its escape", () => {
    expect(readStringMap('{"a":"x\u0085y","b":"x\\u0085y"}')).toEqual(
      new Map([
        ["a", "x y"],
        ["b", "x\u0085y"],
      ]),
    );
  });

  it.each([
    ['{"a":"\\ud83d\\ude00"}', "invalid Unicode character escape code"],
    ['{"a":"x\u007fy"}', "control characters are not allowed"],
    ['{"a":"x\u0091y"}', "control characters are not allowed"],
    ['{"a":{"b":"c"}}', "cannot unmarshal !!map into string"],
    ["- a", "cannot unmarshal !!seq"],
  ])("refuses %j", (text, message) => {
    expect(() => readStringMap(text)).toThrow(message);
  });

  it("takes an escaped backslash before u for no surrogate", () => {
    expect(readStringMap('{"a":"\\\\ud83d"}')).toEqual(new Map([["a", "\\ud83d"]]));
  });
});
