import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockFile } from "../../../src/build/file-lock.ts";
import { processIdentity } from "../../../src/build/process-id.ts";

const patience = (): AbortSignal => AbortSignal.timeout(20_000);
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "lock-"));

test("one holds it at a time, also within a process, and nothing is left", async () => {
  await using root = await folder();
  const path = join(root.path, "below/image.lock");
  let holders = 0;
  let most = 0;
  await Promise.all(
    [1, 2, 3].map(async () => {
      await using _lock = await lockFile(path, patience());
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
    }),
  );
  expect(most).toBe(1);
  expect(await readdir(join(root.path, "below"))).toEqual([]);
});

test("waiting ends with the signal's reason and disturbs nobody", async () => {
  await using root = await folder();
  const path = join(root.path, "image.lock");
  const lock = await lockFile(path, patience());
  const abort = new AbortController();
  const waiting = lockFile(path, abort.signal);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  expect(await readdir(root.path)).toEqual(["image.lock"]);
  await lock[Symbol.asyncDispose]();
  expect(await readdir(root.path)).toEqual([]);
});

test("a process that was killed holds it no more, a living one does", async () => {
  await using root = await folder();
  const path = join(root.path, "image.lock");
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  await writeFile(path, `${await processIdentity(child.pid ?? 0)}\nx\n`);
  const abort = new AbortController();
  const waiting = lockFile(path, AbortSignal.any([abort.signal, patience()]));
  let isHeld = true;
  void waiting.then(() => (isHeld = false));
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(isHeld).toBe(true);
  child.kill("SIGKILL");
  await once(child, "close");
  await using _lock = await waiting;
  expect(await readdir(root.path)).toEqual(["image.lock"]);
});
