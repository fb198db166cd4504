import { expect, test } from "vitest";
import * as hook from "../../../../src/juju/hook-commands.ts";
import { createHookTools } from "../../../support/hook-tools.ts";

const IMAGE = { id: 7, endpoint: "image" };

test.each([
  ["config-get", (t) => hook.configGet(t), {}],
  ["relation-ids", (t) => hook.relationIds(t, "image"), []],
  ["relation-list", (t) => hook.relationApplication(t, IMAGE), null],
  ["relation-get", (t) => hook.relationGet(t, IMAGE, { unit: "r/0" }), {}],
  ["secret-ids", (t) => hook.secretIds(t), []],
  ["state-get", (t) => hook.stateGetAll(t), {}],
  ["opened-ports", (t) => hook.openedPorts(t), []],
  ["action-get", (t) => hook.actionGet(t), {}],
] satisfies [string, (tool: Parameters<typeof hook.configGet>[0]) => Promise<unknown>, unknown][])(
  "null from %s is nothing, not a fault",
  async (command, ask, empty) => {
    await using tools = await createHookTools();
    await tools.reply(`${command}*`, "null\n");
    expect(await ask(tools.tool())).toEqual(empty);
  },
);

test("config keeps its types and leaves unset options out", async () => {
  await using tools = await createHookTools();
  await tools.reply(
    "config-get --format=json",
    `{"name":"a","interval":6,"ratio":1.5,"debug":false,"unset":null}`,
  );
  expect(await hook.configGet(tools.tool())).toEqual({ name: "a", interval: 6, ratio: 1.5, debug: false });
});

test("relations come by number, not by text", async () => {
  await using tools = await createHookTools();
  await tools.reply("relation-ids --format=json -- image", `["image:10","image:9"]`);
  expect((await hook.relationIds(tools.tool(), "image")).map(({ id }) => id)).toEqual([9, 10]);
});

test("a databag is always asked for by relation and owner", async () => {
  await using tools = await createHookTools();
  await tools.reply("relation-get*", "{}");
  await hook.relationGet(tools.tool(), IMAGE, { unit: "runner/0" });
  await hook.relationGet(tools.tool(), IMAGE, { application: "runner" });
  expect(await tools.lines()).toEqual([
    "relation-get --format=json -r image:7 - runner/0",
    "relation-get --format=json -r image:7 --app - runner",
  ]);
});

test("names the command whose answer has the wrong shape", async () => {
  await using tools = await createHookTools();
  await tools.reply("relation-list*", `{"a":1}`);
  await expect(hook.relationList(tools.tool(), IMAGE)).rejects.toThrow(
    "cannot read the output of relation-list: expected a list of texts",
  );
});

test("a missing state key is null, an empty value is a value", async () => {
  await using tools = await createHookTools();
  await tools.reply("state-get --format=json --strict -- none", {
    stderr: `ERROR "none" not found\n`,
    code: 1,
  });
  await tools.reply("state-get --format=json --strict -- empty", `""`);
  expect(await hook.stateGet(tools.tool(), "none")).toBeNull();
  expect(await hook.stateGet(tools.tool(), "empty")).toBe("");
});

test("network addresses come flat, absent members as none", async () => {
  await using tools = await createHookTools();
  await tools.reply(
    "network-get*",
    `{"bind-addresses":[{"interface-name":"e","addresses":[{"value":"10.0.0.5","cidr":"10.0.0.0/24"}]}],"ingress-addresses":["10.0.0.5"]}`,
  );
  expect(await hook.networkGet(tools.tool(), "image", IMAGE)).toEqual({
    bindAddresses: ["10.0.0.5"],
    ingressAddresses: ["10.0.0.5"],
    egressSubnets: [],
  });
  expect(await tools.lines()).toEqual(["network-get --format=json -r image:7 -- image"]);
});

test("resource-get knows no --format and its path has no line end", async () => {
  await using tools = await createHookTools();
  await tools.reply("resource-get -- tool", "/var/lib/juju/tool.tgz");
  expect(await hook.resourceGet(tools.tool(), "tool")).toBe("/var/lib/juju/tool.tgz");
});

test("storage is listed and described", async () => {
  await using tools = await createHookTools();
  await tools.reply("storage-list --format=json -- data", `["data/0"]`);
  await tools.reply("storage-get --format=json -s data/0", `{"kind":"filesystem","location":"/srv"}`);
  expect(await hook.storageList(tools.tool(), "data")).toEqual(["data/0"]);
  expect(await hook.storageGet(tools.tool(), "data/0")).toEqual({ kind: "filesystem", location: "/srv" });
});

test("leader, status, goal state and credential are read", async () => {
  await using tools = await createHookTools();
  await tools.reply("is-leader*", "true\n");
  await tools.reply("status-get*", `{"message":"","status":"unknown","status-data":{}}`);
  await tools.reply("goal-state*", `{"units":{}}`);
  await tools.reply("credential-get*", {
    stderr: "ERROR cannot access cloud credentials: permission denied",
    code: 1,
  });
  const tool = tools.tool();
  expect(await hook.isLeader(tool)).toBe(true);
  expect(await hook.statusGet(tool)).toEqual({ status: "unknown", message: "" });
  expect(await hook.goalState(tool)).toEqual({ units: {}, relations: {} });
  await expect(hook.credentialGet(tool)).rejects.toMatchObject({ kind: "permission-denied" });
});
