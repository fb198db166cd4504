import { chmod, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { createLogger, silentLogger } from "../../../src/base/log.ts";
import { createWaker } from "../../../src/build/waker.ts";

/** A wake command that notes when it begins and ends, with its parameters and the variable WHO. */
async function wakeCommand(
  code = 0,
): Promise<
  { readonly command: readonly string[]; readonly calls: () => Promise<readonly string[]> } & AsyncDisposable
> {
  const folder = await mkdtempDisposable(join(tmpdir(), "waker-"));
  const file = join(folder.path, "juju-exec");
  const log = join(folder.path, "calls");
  await writeFile(log, "");
  await writeFile(
    file,
    `#!/bin/sh\necho "begin $WHO $*" >> ${log}\nsleep 0.05\necho end >> ${log}\necho "no lock" >&2\nexit ${code}\n`,
  );
  await chmod(file, 0o755);
  return {
    command: [file, "builder/0", "a b"],
    calls: async () => (await readFile(log, "utf8")).split("\n").slice(0, -1),
    [Symbol.asyncDispose]: async () => await folder.remove(),
  };
}

const env = { PATH: "/usr/bin:/bin", WHO: "me" };
const CALL = ["begin me builder/0 a b", "end"];

describe("createWaker", () => {
  test("runs the command with its parameters and environment, and tells that it succeeded", async () => {
    await using wake = await wakeCommand();
    const waker = createWaker(wake.command, env, silentLogger);
    expect(await waker.now()).toBe(true);
    expect(await wake.calls()).toEqual(CALL);
    await waker[Symbol.asyncDispose]();
  });

  test("makes one wake of many calls in a row, and one more at its end", async () => {
    await using wake = await wakeCommand();
    {
      await using waker = createWaker(wake.command, env, silentLogger);
      for (let index = 0; index < 50; index += 1) waker.soon();
      await expect.poll(async () => (await wake.calls()).length).toBe(2);
      for (let index = 0; index < 50; index += 1) waker.soon();
    }
    // disposing did not wait for the pause, and the charm heard of the end
    expect(await wake.calls()).toEqual([...CALL, ...CALL]);
  });

  test("wakes for mere progress at most every 15 seconds", async () => {
    await using wake = await wakeCommand();
    {
      await using waker = createWaker(wake.command, env, silentLogger);
      waker.lazily();
      await expect.poll(async () => (await wake.calls()).length).toBe(2);
      for (let index = 0; index < 50; index += 1) waker.lazily();
      // a step's begin is told all the same
      waker.soon();
      await expect.poll(async () => (await wake.calls()).length).toBe(4);
    }
    expect(await wake.calls()).toHaveLength(6);
  });

  test("never runs two at a time", async () => {
    await using wake = await wakeCommand();
    const waker = createWaker(wake.command, env, silentLogger);
    waker.soon();
    await Promise.all([waker.now(), waker.now()]);
    await waker[Symbol.asyncDispose]();
    const calls = await wake.calls();
    expect(calls.length).toBeGreaterThanOrEqual(6);
    expect(calls.every((line, index) => line === CALL[index % 2])).toBe(true);
  });

  test("tells a command that failed, logs why, and goes on", async () => {
    await using wake = await wakeCommand(3);
    const lines: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, callback) => {
        lines.push(chunk.toString());
        callback();
      },
    });
    const waker = createWaker(wake.command, env, createLogger(sink, "info"));
    expect(await waker.now()).toBe(false);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: "warn", msg: "cannot wake the charm", code: 3, stderr: "no lock" },
    ]);
    expect(await waker.now()).toBe(false);
    await waker[Symbol.asyncDispose]();
  });

  test("tells a command that is not there", async () => {
    await using waker = createWaker(["/nonexistent/juju-exec"], env, silentLogger);
    expect(await waker.now()).toBe(false);
  });

  test("wakes nobody where nobody listens", async () => {
    await using waker = createWaker([], env, silentLogger);
    waker.soon();
    expect(await waker.now()).toBe(false);
  });
});
