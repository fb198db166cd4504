import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { PackOptionsError, readOptions } from "../../../../scripts/pack/options.ts";

describe("the options of npm run pack", () => {
  it("are both architectures for Ubuntu 22.04, in the current folder, when there are none", () => {
    expect(readOptions([])).toEqual({
      architectures: ["amd64", "arm64"],
      bases: ["22.04"],
      folder: ".",
      stage: null,
      version: null,
    });
  });

  it("choose bases, architecture, folder and version", () => {
    const words = [
      "--base",
      "26.04",
      "--base=24.04",
      "--arch",
      "arm64",
      "--out",
      "x",
      "--version",
      "1.2-3-gabc",
    ];
    expect(readOptions(words)).toEqual({
      architectures: ["arm64"],
      bases: ["24.04", "26.04"],
      folder: "x",
      stage: null,
      version: "1.2-3-gabc",
    });
  });

  it.each([
    [["--arch", "i386"], "--arch: there is no i386; give amd64, arm64"],
    [["--base", "20.04"], "--base: there is no 20.04; give 22.04, 24.04, 26.04"],
    [["--stage", "x"], "--stage: give one --arch with it"],
    [["--version", "1\n2"], "--version: letters, digits and . + ~ - _ only"],
  ])("%j are refused with one sentence", (words, sentence) => {
    expect(() => readOptions(words)).toThrow(new PackOptionsError(sentence));
  });

  it("that are wrong end the command with exit code 2, before anything is made", async () => {
    const script = fileURLToPath(new URL("../../../../scripts/pack.ts", import.meta.url));
    await expect(promisify(execFile)(process.execPath, [script, "--arch", "i386"])).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: "--arch: there is no i386; give amd64, arm64\n",
    });
  });

  it("that are unknown are answered with how to use it", () => {
    expect(() => readOptions(["--fast"])).toThrow(/'--fast'[^]*usage: npm run pack/);
  });
});
