import { describe, expect, test } from "vitest";
import { parseArch, parseBases } from "../../../src/charm/options.ts";

describe("parseArch", () => {
  test.each([
    ["x64", "x64"],
    ["amd64", "x64"],
    ["X86_64", "x64"],
    ["arm64", "arm64"],
    ["aarch64", "arm64"],
    ["s390x", "s390x"],
    ["ppc64le", "ppc64le"],
    ["ppc64el", "ppc64le"],
    ["arm", "arm"],
    ["armhf", "arm"],
    ["armv7l", "arm"],
  ])("reads %s as %s", (text, arch) => {
    expect(parseArch(text)).toBe(arch);
  });

  test.each(["", "i386", "toString"])("knows no %j", (text) => {
    expect(parseArch(text)).toHaveProperty("fix");
  });
});

describe("parseBases", () => {
  test.each([
    ["20.04", ["focal"]],
    ["22.04,24.04,26.04", ["jammy", "noble", "resolute"]],
    ["Noble, noble ,24.04", ["noble"]],
    ["resolute,focal", ["resolute", "focal"]],
  ])("reads %s in its order, none twice", (text, bases) => {
    expect(parseBases(text)).toEqual({ bases });
  });

  test.each(["", ",", "18.04", "noble,trusty", "valueOf"])("knows no %j", (text) => {
    expect(parseBases(text)).toEqual({
      fix: "set it to a comma-separated list of focal, jammy, noble, resolute",
    });
  });
});
