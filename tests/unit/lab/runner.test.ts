import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RUNNER_VERSION, runnerArchives } from "../../../lab/gateway/runner.ts";
import { tarArchive } from "../../../lab/gateway/tar.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runner-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("is the same archive each time", () => {
  const digests = (): string[] => runnerArchives().map(({ sha256 }) => sha256);
  expect(digests()).toEqual(digests());
});

test("unpacks with tar into programs that run", () => {
  const archive = runnerArchives()[0];
  writeFileSync(join(folder, "runner.tar.gz"), archive?.data ?? "");
  execFileSync("tar", ["-xzf", "runner.tar.gz"], { cwd: folder });
  const output = (file: string, ...parameters: string[]): string =>
    execFileSync(join(folder, file), parameters, { encoding: "utf8" });
  expect(output("bin/Runner.Listener", "--version").trim()).toBe(RUNNER_VERSION);
  expect(output("run.sh", "--jitconfig", "abc")).toContain("stand-in");
});

test("refuses a path that ustar's name field can't hold", () => {
  expect(() => tarArchive([{ path: "x".repeat(101), mode: 0o644, text: "" }], 0)).toThrow(
    "longer than 100 bytes",
  );
});
