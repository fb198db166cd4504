import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { labProcesses, runningPid } from "../../../lab/processes.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lab-"));
  await mkdir(join(directory, "run"));
});
afterEach(() => rm(directory, { recursive: true }));

/** Field 22 of proc_pid_stat(5); this program's name has no blanks. */
async function ownStart(): Promise<number> {
  return Number((await readFile("/proc/self/stat", "utf8")).split(" ")[21]);
}

test("knows a running process by id and start time", async () => {
  await writeFile(join(directory, "run/me.pid"), `${process.pid} ${await ownStart()}\n`);
  expect(await runningPid(directory, "me")).toBe(process.pid);
  const [found] = await labProcesses(directory);
  const age = Date.now() - (found?.since.getTime() ?? 0);
  expect(Math.abs(age - process.uptime() * 1000)).toBeLessThan(3000);
});

test("does not trust a pid file whose number another program has by now", async () => {
  await writeFile(join(directory, "run/gone.pid"), `${process.pid} ${(await ownStart()) - 1}\n`);
  expect(await runningPid(directory, "gone")).toBeUndefined();
  expect(await labProcesses(directory)).toMatchObject([{ name: "gone", running: false }]);
});

test("finds nothing where the lab was never up", async () => {
  expect(await labProcesses(join(directory, "none"))).toEqual([]);
});
