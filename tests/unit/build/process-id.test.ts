import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { isRunning, processIdentity } from "../../../src/build/process-id.ts";
import { startZombie } from "../../support/zombie.ts";

describe("processIdentity", () => {
  test("is number, start time and boot id, the same each time", async () => {
    const identity = await processIdentity(process.pid);
    expect(identity).toMatch(new RegExp(`^${process.pid}:\\d+:[0-9a-f-]{36}$`));
    expect(await processIdentity(process.pid)).toBe(identity);
    expect(await isRunning(identity ?? "")).toBe(true);
  });

  test("reads the start time of a program whose name holds blanks and parentheses", async () => {
    const script =
      'require("fs").writeFileSync("/proc/self/comm", "a) S 1 (b"); console.log("named"); setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const identity = await processIdentity(child.pid ?? 0);
    const start = identity?.split(":")[1];
    const self = (await processIdentity(process.pid))?.split(":")[1];
    child.kill("SIGKILL");
    await once(child, "exit");
    // it started after this process did; any other field would be a small number
    expect(Number(start)).toBeGreaterThanOrEqual(Number(self));
  });

  test("is null for a process that ended, and for its zombie before", async () => {
    const zombie = await startZombie();
    {
      await using _ended = zombie;
      expect(await processIdentity(zombie.pid)).toBe(null);
      expect(await processIdentity(zombie.parent)).not.toBe(null);
    }
    expect(await processIdentity(zombie.parent)).toBe(null);
  });

  test("is null for what is no process id", async () => {
    expect(await processIdentity(Number.NaN)).toBe(null);
    expect(await processIdentity(0)).toBe(null);
  });
});

describe("isRunning", () => {
  test("knows a living process from one that got its number later", async () => {
    const [pid, start, boot] = ((await processIdentity(process.pid)) ?? "").split(":");
    expect(await isRunning(`${pid}:${start}:${boot}`)).toBe(true);
    expect(await isRunning(`${pid}:${Number(start) - 1}:${boot}`)).toBe(false);
    expect(await isRunning(`${pid}:${start}:another-boot`)).toBe(false);
  });

  test.each(["", "x", "-1"])("is false for %j", async (identity) => {
    expect(await isRunning(identity)).toBe(false);
  });
});
