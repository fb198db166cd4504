import { describe as group, expect, test } from "vitest";
import { DeadlineError, describe } from "../../../src/base/errors.ts";
import {
  HookCommandError,
  isHookFailure,
  isSecretDenied,
  isSecretNotFound,
} from "../../../src/juju/errors.ts";
import type { JujuContext } from "../../../src/juju/context.ts";
import { openBlockingHookTool, openHookTool, runJson } from "../../../src/juju/hook-tool.ts";
import { createHookTools } from "../../support/hook-tools.ts";
import { bash } from "../../support/shell.ts";

const DOORS = [
  ["a tool", (context: JujuContext) => openHookTool(context, { signal: new AbortController().signal })],
  ["a blocking tool", openBlockingHookTool],
] as const;

group.each(DOORS)("%s", (_, open) => {
  test("gives the failing command, its exit code and its text", async () => {
    await using tools = await createHookTools();
    await tools.reply("config-get*", { stderr: "ERROR no such thing\n", code: 2 });
    const error: unknown = await open(tools.context())
      .run("config-get", [])
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HookCommandError);
    expect(error).toMatchObject({
      command: "config-get",
      exitCode: 2,
      message: "cannot run config-get: no such thing",
      kind: "other",
    });
  });

  test("a command that hangs ends at its limit", async () => {
    await using tools = await createHookTools();
    await tools.reply("is-leader*", { shell: "exec sleep 60" });
    const pending = open(tools.context()).run("is-leader", [], { limitMs: 100 });
    await expect(pending).rejects.toThrow(DeadlineError);
  });

  test("a command's environment holds nothing that Juju did not set", async () => {
    await using tools = await createHookTools();
    await tools.reply("goal-state*", { shell: "exec env" });
    const context = tools.context({ OS_PASSWORD: "hunter2", HOME: "/root" });
    const output = await open(context).run("goal-state", []);
    expect(output).toContain("JUJU_CONTEXT_ID=builder/0-install-1");
    expect(output).not.toMatch(/OS_PASSWORD|HOME=/);
  });

  test("a command does not wait for standard input", async () => {
    await using tools = await createHookTools();
    await tools.reply("goal-state*", { shell: "cat; printf done; exit 0" });
    expect(await open(tools.context()).run("goal-state", [], { limitMs: 5000 })).toBe("done");
  });

  test("a command gets the input that it is given", async () => {
    await using tools = await createHookTools();
    const tool = open(tools.context());
    expect(await tool.run("relation-set", ["--file", "-"], { input: '{"a":"b"}' })).toBe("");
    expect((await tools.calls()).at(-1)?.input).toBe('{"a":"b"}');
  });

  test("refuses an argument that the kernel would refuse, before it starts anything", async () => {
    await using tools = await createHookTools();
    await expect(open(tools.context()).run("status-set", ["é".repeat(70_000)])).rejects.toThrow(
      "cannot run status-set: an argument has 140000 bytes, the limit is 131071",
    );
    expect(await tools.lines()).toEqual([]);
  });

  test("a hook command that this Juju does not have is named", async () => {
    await using tools = await createHookTools();
    const error: unknown = await open(tools.context())
      .run("relation-foresee", [])
      .catch((e: unknown) => e);
    expect(describe(error)).toMatch(/^cannot run relation-foresee: spawn(Sync)? relation-foresee ENOENT$/);
  });
});

test.each([
  ["relation-get", `ERROR invalid value "x:9" for option -r: relation not found`, "relation-not-found"],
  ["secret-grant", `ERROR invalid value "x:9" for option -r: relation not found`, "relation-not-found"],
  ["relation-get", `ERROR cannot read settings for unit "r/9": settings not found`, "settings-not-found"],
  ["secret-get", `ERROR secret "9m4e2mr0ui3e8a215n4g" not found`, "secret-not-found"],
  ["secret-get", "ERROR permission denied", "permission-denied"],
  ["relation-get", "ERROR permission denied", "permission-denied"],
  ["relation-set", "ERROR cannot write relation settings", "not-leader"],
  ["secret-add", "ERROR this unit is not the leader", "not-leader"],
  ["action-get", "ERROR not running an action", "not-in-action"],
  ["network-get", `ERROR no network config found for binding "x"`, "network-not-found"],
  ["config-get", `ERROR bad request: expected context id "a", got "b"`, "wrong-context"],
  ["resource-get", "ERROR could not download resource: not found", "other"],
])("%s: %s is %s", (command, stderr, kind) => {
  expect(new HookCommandError(command, 1, stderr).kind).toBe(kind);
});

test("a secret that was not granted is told from one that is gone", () => {
  const denied = new HookCommandError("secret-get", 1, "ERROR permission denied");
  const gone = new HookCommandError("secret-get", 1, `ERROR secret "x" not found`);
  expect([isSecretDenied(denied), isSecretNotFound(denied)]).toEqual([true, false]);
  expect([isSecretDenied(gone), isSecretNotFound(gone)]).toEqual([false, true]);
  expect(isHookFailure(new Error("permission denied"), "permission-denied")).toBe(false);
});

test("a command ends with the dispatch's signal", async () => {
  await using tools = await createHookTools();
  await tools.reply("is-leader*", { shell: "exec sleep 60" });
  const cancel = new AbortController();
  const pending = openHookTool(tools.context(), { signal: cancel.signal }).run("is-leader", []);
  cancel.abort(new Error("told to end"));
  await expect(pending).rejects.toThrow("told to end");
});

test("commands that read run at the same time", async () => {
  await using tools = await createHookTools();
  await bash(`mkfifo '${tools.dir}/meeting'`);
  // each waits for the other at the pipe: one after the other they would hang
  await tools.reply("config-get*", { shell: `cat "$dir/meeting"; exit 0` });
  await tools.reply("goal-state*", { shell: `printf '{}' >"$dir/meeting"; printf '{}'; exit 0` });
  const tool = tools.tool({}, 5000);
  expect(await Promise.all([runJson(tool, "config-get", []), runJson(tool, "goal-state", [])])).toEqual([
    {},
    {},
  ]);
});

test("names the command whose output is no JSON", async () => {
  await using tools = await createHookTools();
  await tools.reply("config-get*", "yes");
  await expect(runJson(tools.tool(), "config-get", [])).rejects.toThrow(
    "cannot read the output of config-get",
  );
});
