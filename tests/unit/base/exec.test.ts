import { mkdtempDisposable, open, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exec, execBlocking, ExecError, spawnDetached } from "../../../src/base/exec.ts";
import { DeadlineError } from "../../../src/base/errors.ts";
import { processIdentity } from "../../../src/build/process-id.ts";

const signal = new AbortController().signal;
const env = { PATH: "/usr/bin:/bin" };
const sh = (script: string, more: object = {}): ReturnType<typeof exec> =>
  exec("sh", ["-c", script], { env, signal, ...more });

describe("exec", () => {
  test("gives exit code and both outputs; a failure is not an error", async () => {
    expect(await sh("echo größe; echo loud >&2; exit 3")).toEqual({
      code: 3,
      stdout: "größe\n",
      stderr: "loud\n",
    });
  });

  test("passes parameters without a shell in between", async () => {
    const { stdout } = await exec("printf", ["%s|", "a b", "$(id)", "'"], { env, signal });
    expect(stdout).toBe("a b|$(id)|'|");
  });

  test("gives the child exactly this environment", async () => {
    const { stdout } = await exec("/usr/bin/env", [], { env: { ONLY: "this" }, signal });
    expect(stdout).toBe("ONLY=this\n");
  });

  test("passes input, and an empty one where there is none", async () => {
    const long = "x".repeat(1_000_000);
    expect((await sh("cat", { input: long })).stdout).toBe(long);
    expect((await sh("cat")).stdout).toBe("");
  });

  test("takes the exit code of a child that does not read its input", async () => {
    expect((await sh("exit 4", { input: "x".repeat(1_000_000) })).code).toBe(4);
  });

  test("runs in the folder that is asked for", async () => {
    expect((await sh("pwd", { cwd: "/usr" })).stdout).toBe("/usr\n");
  });

  test("tells a program that is not there, with the cause", async () => {
    const error: unknown = await exec("/nonexistent/x", [], { env, signal }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ExecError);
    expect(error).toMatchObject({ message: "cannot run /nonexistent/x", cause: { code: "ENOENT" } });
  });

  test("tells a program that a signal ended", async () => {
    await expect(sh("kill -TERM $$")).rejects.toThrow("sh was ended by SIGTERM");
  });

  test("kills the child when cancelled, and throws the reason", async () => {
    const cancel = new AbortController();
    const reason = new Error("enough");
    const began = performance.now();
    const work = exec("sleep", ["60"], { env, signal: cancel.signal });
    cancel.abort(reason);
    await expect(work).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(10_000);
    await expect(exec("true", [], { env, signal: cancel.signal })).rejects.toBe(reason);
  });
});

describe("execBlocking", () => {
  const block = (script: string, more: object = {}): ReturnType<typeof execBlocking> =>
    execBlocking("sh", ["-c", script], { env, input: undefined, limitMs: 10_000, ...more });

  test("gives exit code and both outputs, however long", () => {
    expect(block("echo größe; echo loud >&2; exit 3")).toEqual({
      code: 3,
      stdout: "größe\n",
      stderr: "loud\n",
    });
    expect(block("head -c 3000000 /dev/zero").stdout).toHaveLength(3_000_000);
  });

  test("passes input, and an empty one where there is none", () => {
    const long = "x".repeat(1_000_000);
    expect(block("cat", { input: long }).stdout).toBe(long);
    expect(block("cat").stdout).toBe("");
  });

  test("ends a child at the limit, and says so", () => {
    const began = performance.now();
    expect(() => block("exec sleep 60", { limitMs: 100 })).toThrow(DeadlineError);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test("tells a program that is not there or that a signal ended", () => {
    expect(() => execBlocking("/nonexistent/x", [], { env, input: undefined, limitMs: 1000 })).toThrow(
      "cannot run /nonexistent/x",
    );
    expect(() => block("kill -TERM $$")).toThrow("sh was ended by SIGTERM");
  });
});

describe("spawnDetached", () => {
  test("starts a session of its own that writes to the given file", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "exec-"));
    const path = join(folder.path, "log");
    await using log = await open(path, "a");
    const script = "echo out; echo err >&2; cut -d' ' -f6 /proc/self/stat; pwd; env | grep -c ONLY";
    const options = { env: { ...env, ONLY: "this" }, cwd: folder.path, output: log.fd };
    const pid = await spawnDetached("sh", ["-c", script], options);
    await expect.poll(() => processIdentity(pid)).toBe(null);
    expect(await readFile(path, "utf8")).toBe(`out\nerr\n${pid}\n${folder.path}\n1\n`);
  });

  test("tells a program that is not there", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "exec-"));
    await using log = await open(join(folder.path, "log"), "a");
    const options = { env, cwd: folder.path, output: log.fd };
    await expect(spawnDetached("/nonexistent/x", [], options)).rejects.toThrow("cannot run /nonexistent/x");
  });
});

test("no other file of the product starts processes, and none has a shell read a text", async () => {
  const names = (await readdir("src", { recursive: true })).filter((name) => name.endsWith(".ts"));
  const [starters, shells]: [string[], string[]] = [[], []];
  for (const name of names) {
    const text = await readFile(join("src", name), "utf8");
    if (/child_process"/.test(text)) starters.push(name);
    if (/shell: true|\bexecSync\b|"-c"|\beval\(|new Function\(/.test(text)) shells.push(name);
  }
  expect(names.length).toBeGreaterThan(100);
  expect([starters, shells]).toEqual([["base/exec.ts"], []]);
});
