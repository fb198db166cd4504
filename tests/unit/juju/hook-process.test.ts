import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createHookTools, type HookTools } from "../../support/hook-tools.ts";

const CHARM = fileURLToPath(new URL("../../support/hook-process-charm.ts", import.meta.url));

function start(tools: HookTools, name: string, extra: Record<string, string> = {}) {
  const env = tools.environment({ JUJU_DISPATCH_PATH: name, ...extra });
  return spawn(process.execPath, [CHARM], { env, stdio: ["ignore", "pipe", "pipe"] });
}

test.each([
  ["fine", 0],
  ["fail", 1],
])("a dispatch that goes %s exits with %i", async (name, expected) => {
  await using tools = await createHookTools();
  expect(await once(start(tools, name), "exit")).toEqual([expected, null]);
});

test("what a handler left running does not keep the machine's lock", async () => {
  await using tools = await createHookTools();
  const child = start(tools, "leak");
  const [[text], exit] = await Promise.all([once(child.stderr, "data"), once(child, "exit")]);
  expect(String(text)).toContain("something still holds the process");
  expect(exit).toEqual([0, null]);
}, 15_000);

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends it by that very signal, with nothing written",
  async (signal) => {
    await using tools = await createHookTools();
    const child = start(tools, "wait");
    await once(child.stdout, "data");
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([null, signal]);
    expect(await tools.lines()).toEqual([
      `juju-log --log-level WARNING -- dispatch was told to end event=wait reason="received ${signal}"`,
    ]);
  },
);

test("started outside Juju, it says which variable is missing", async () => {
  await using tools = await createHookTools();
  const child = start(tools, "fine", { JUJU_UNIT_NAME: "" });
  const [[text], exit] = await Promise.all([once(child.stderr, "data"), once(child, "exit")]);
  expect(String(text)).toBe("cannot read the Juju context: JUJU_UNIT_NAME is not set\n");
  expect(exit).toEqual([1, null]);
});
