import { expect, test, vi } from "vitest";
import { openHookTool } from "../../../src/juju/hook-tool.ts";
import { openUnit, type OpenedUnit } from "../../../src/juju/model.ts";
import { createHookTools, type HookTools } from "../../support/hook-tools.ts";

const ID = "9m4e2mr0ui3e8a215n4g";

function open(tools: HookTools, extra: Record<string, string> = {}): OpenedUnit {
  const context = tools.context(extra);
  return openUnit(context, openHookTool(context, { signal: new AbortController().signal }));
}

async function withRelations(tools: HookTools): Promise<void> {
  await tools.reply("relation-ids --format=json -- image", `["image:7","image:8"]`);
  await tools.reply("relation-list --format=json -r image:7", `["runner/0","runner/1"]`);
  await tools.reply("relation-list --format=json -r image:8", "[]");
  await tools.reply("relation-list --format=json -r image:8 --app", `"idle"`);
  await tools.reply("relation-get --format=json -r image:7 - runner/0", `{"clouds":"x"}`);
  await tools.reply(
    "relation-get --format=json -r image:7 - builder/0",
    `{"id":"old","ingress-address":"10.0.0.5"}`,
  );
  await tools.reply("relation-get --format=json -r image:7 --app - builder", `{"shared":"1"}`);
}

test("opening a unit asks Juju nothing", async () => {
  await using tools = await createHookTools();
  open(tools, { JUJU_RELATION_ID: "image:7" });
  expect(await tools.lines()).toEqual([]);
});

test("every question is asked once per dispatch, also when asked at the same time", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  await tools.reply("config-get*", `{"a":1}`);
  await tools.reply("is-leader*", "false");
  const { unit } = open(tools);
  await Promise.all([unit.config(), unit.config(), unit.isLeader(), unit.isLeader()]);
  await unit.config();
  const [relation] = await unit.relations("image");
  await Promise.all([relation?.remoteUnits(), relation?.remoteApplication(), relation?.unitData("runner/0")]);
  await unit.relations("image");
  expect((await tools.lines()).toSorted()).toEqual([
    "config-get --format=json",
    "is-leader --format=json",
    "relation-get --format=json -r image:7 - runner/0",
    "relation-ids --format=json -- image",
    "relation-list --format=json -r image:7",
  ]);
});

test("what the machine has is asked when it is wanted, and once", async () => {
  await using tools = await createHookTools();
  await tools.reply("network-get*", `{"ingress-addresses":["10.0.0.5"]}`);
  await tools.reply("storage-list*", `["data/0"]`);
  await tools.reply("storage-get*", `{"kind":"filesystem","location":"/srv"}`);
  await tools.reply("resource-get*", "/tool.tgz");
  await tools.reply("goal-state*", `{"units":{"builder/0":{"status":"active"}}}`);
  await tools.reply("credential-get*", `{"type":"lxd","name":"l","credential":{"auth-type":"certificate"}}`);
  const { unit } = open(tools);
  const ask = async (): Promise<unknown> =>
    await Promise.all([
      unit.network("image"),
      unit.storages("data"),
      unit.storage("data/0"),
      unit.resource("tool"),
      unit.goalState(),
      unit.credential(),
    ]);
  expect(await ask()).toEqual(await ask());
  expect(await tools.lines()).toHaveLength(6);
});

test("leadership is asked again after the 30 seconds that Juju vouches for", async () => {
  await using tools = await createHookTools();
  await tools.reply("is-leader*", "true");
  const { unit } = open(tools);
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    await unit.isLeader();
    vi.advanceTimersByTime(30_000);
    await unit.isLeader();
    expect(await tools.lines()).toHaveLength(1);
    vi.advanceTimersByTime(1);
    await unit.isLeader();
    expect(await tools.lines()).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

test("an answer that failed is asked for again", async () => {
  await using tools = await createHookTools();
  await tools.reply("config-get*", {
    shell: `[ -e "$dir/asked" ] && echo '{}' && exit 0; : >"$dir/asked"; exit 1`,
  });
  const { unit } = open(tools);
  await expect(unit.config()).rejects.toThrow("cannot run config-get: exit code 1 and no message");
  expect(await unit.config()).toEqual({});
});

test("the remote application is known also without units", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  const relations = await open(tools).unit.relations("image");
  expect(await Promise.all(relations.map((relation) => relation.remoteApplication()))).toEqual([
    "runner",
    "idle",
  ]);
});

test("a relation that this dispatch breaks is left out, but can be read", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  const { unit } = open(tools, {
    JUJU_DISPATCH_PATH: "hooks/image-relation-broken",
    JUJU_RELATION_ID: "image:7",
    JUJU_REMOTE_APP: "runner",
  });
  expect((await unit.relations("image")).map(({ key }) => key)).toEqual(["image:8"]);
  expect(unit.eventRelation?.key).toBe("image:7");
  expect(await unit.eventRelation?.remoteApplication()).toBe("runner");
  expect(await unit.eventRelation?.unitData("runner/0")).toEqual({ clouds: "x" });
});

test("a departing unit's data can be read though the unit is no longer listed", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  await tools.reply("relation-get --format=json -r image:7 - runner/9", `{"clouds":"gone"}`);
  const { unit } = open(tools, {
    JUJU_DISPATCH_PATH: "hooks/image-relation-departed",
    JUJU_RELATION_ID: "image:7",
    JUJU_REMOTE_UNIT: "runner/9",
    JUJU_DEPARTING_UNIT: "runner/9",
  });
  expect(await unit.eventRelation?.remoteUnits()).not.toContain("runner/9");
  expect(await unit.eventRelation?.unitData("runner/9")).toEqual({ clouds: "gone" });
  expect((await unit.relations("image")).map(({ key }) => key)).toEqual(["image:7", "image:8"]);
});

test("our databag reads with the queued changes, and nothing is written before the flush", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  const [relation] = await open(tools).unit.relations("image");
  relation?.setUnitData({ id: "new", tags: "x64" });
  relation?.setUnitData({ "ingress-address": null });
  expect(await relation?.ourUnitData()).toEqual({ id: "new", tags: "x64" });
  expect((await tools.lines()).filter((line) => line.startsWith("relation-set"))).toEqual([]);
});

test("a flush writes each databag once, with the changed keys only", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  await tools.reply("is-leader*", "true");
  const { unit, flush } = open(tools);
  const [relation] = await unit.relations("image");
  relation?.setUnitData({ id: "old", tags: "x64 😀" });
  relation?.setUnitData({ "ingress-address": null, never: null });
  await relation?.setApplicationData({ shared: "1" });
  await flush();
  const sets = (await tools.calls()).filter(({ argv }) => argv[0] === "relation-set");
  expect(sets.map(({ argv, input }) => ({ argv: argv.join(" "), input }))).toEqual([
    { argv: "relation-set -r image:7 --file -", input: `{"tags":"x64 😀","ingress-address":""}` },
  ]);
});

test("nothing is written when nothing differs", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  await tools.reply("state-get*", `{"seen":"1"}`);
  await tools.reply("opened-ports*", `["80/tcp"]`);
  await tools.reply("secret-get*", `{"token":"abc"}`);
  const { unit, flush } = open(tools);
  const [relation] = await unit.relations("image");
  relation?.setUnitData({ id: "old" });
  unit.state.set("seen", "1");
  unit.state.delete("never");
  unit.ports.open("80/tcp");
  unit.ports.close("81/tcp");
  await unit.secret({ id: ID }).setContent({ token: "abc" });
  await flush();
  expect(
    (await tools.lines()).filter((line) => !/-get|-ids|opened-ports/.test(line.split(" ")[0] ?? "")),
  ).toEqual([]);
});

test("a minion is refused at once when it writes its application's data", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  await tools.reply("is-leader*", "false");
  const [relation] = await open(tools).unit.relations("image");
  await expect(relation?.setApplicationData({ a: "1" })).rejects.toThrow(
    "cannot write the application data of relation image:7: this unit is not the leader",
  );
});

test("text that Juju cannot carry is refused when it is queued", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  const { unit } = open(tools);
  const [relation] = await unit.relations("image");
  expect(() => relation?.setUnitData({ id: "\ud800" })).toThrow("half of a surrogate pair");
  expect(() => unit.state.set("k".repeat(257), "v")).toThrow("cannot keep the state");
  expect(() => unit.state.set("k", "v".repeat(65_537))).toThrow("cannot keep the state");
  expect(() => unit.addSecret("unit", { ab: "x" }, {})).toThrow("with the keys ab:");
});

test("state and ports read with their queued changes and are written at the flush", async () => {
  await using tools = await createHookTools();
  await tools.reply("state-get*", `{"gone":"1","kept":"1"}`);
  await tools.reply("opened-ports*", `["80/tcp"]`);
  const { unit, flush } = open(tools);
  unit.state.set("added", "");
  unit.state.delete("gone");
  unit.ports.open("80-90/tcp");
  unit.ports.close("80/tcp");
  expect([await unit.state.get("added"), await unit.state.get("gone"), await unit.state.get("kept")]).toEqual(
    ["", null, "1"],
  );
  expect(await unit.ports.opened()).toEqual(["80-90/tcp"]);
  await flush();
  expect((await tools.lines()).slice(-4)).toEqual([
    "state-set --file -",
    "state-delete -- gone",
    "close-port -- 80/tcp",
    "open-port -- 80-90/tcp",
  ]);
});

test("storage is asked for and a reboot ordered at the flush, last and once", async () => {
  await using tools = await createHookTools();
  await tools.reply("state-get*", "null");
  const { unit, flush } = open(tools);
  unit.reboot();
  unit.reboot();
  unit.addStorage("data", 1);
  unit.addStorage("data", 2);
  unit.state.set("a", "1");
  expect(await tools.lines()).toEqual([]);
  await flush();
  expect((await tools.lines()).slice(1)).toEqual([
    "state-set --file -",
    "storage-add -- data=3",
    "juju-reboot",
  ]);
});

test("a new secret is made first, and the databag names it by its URI", async () => {
  await using tools = await createHookTools();
  await withRelations(tools);
  await tools.reply("secret-add*", `secret:${ID}\n`);
  const { unit, flush } = open(tools);
  const [relation] = await unit.relations("image");
  if (relation === undefined) throw new Error("no relation");
  const secret = unit.addSecret("unit", { token: "abc" }, { label: "token" });
  unit.grantNewSecret(secret, relation);
  relation.setUnitData({ "secret-id": secret });
  await flush();
  const writes = (await tools.calls()).filter(({ argv }) => /add|grant|set/.test(argv[0] ?? ""));
  expect(writes.map(({ argv }) => argv[0])).toEqual(["secret-add", "secret-grant", "relation-set"]);
  expect(writes[1]?.argv.join(" ")).toBe(`secret-grant -r image:7 -- secret:${ID}`);
  expect(writes[2]?.input).toBe(`{"secret-id":"secret:${ID}"}`);
});

test("several changes of one secret become one call, and are read back before it", async () => {
  await using tools = await createHookTools();
  await tools.reply("secret-get*", `{"token":"old"}`);
  const { unit, flush } = open(tools);
  const secret = unit.secret({ id: `secret:${ID}` });
  await secret.setMetadata({ description: "d" });
  await secret.setContent({ token: "first" });
  await unit.secret({ id: ID }).setContent({ token: "second" });
  await secret.setMetadata({ label: "l" });
  expect(await secret.peek()).toEqual({ token: "second" });
  await secret.remove(3);
  await flush();
  const writes = (await tools.calls()).filter(({ argv }) => argv[0] !== "secret-get");
  expect(writes.map(({ argv }) => argv.slice(0, 5))).toEqual([
    ["secret-set", "--label", "l", "--description", "d"],
    ["secret-remove", "--revision", "3", "--", `secret:${ID}`],
  ]);
  expect(writes[0]?.files).toBe("700 second;");
});

test("after a refresh the tracked revision is the newest", async () => {
  await using tools = await createHookTools();
  await tools.reply("secret-get --format=json -- *", `{"token":"old"}`);
  await tools.reply("secret-get --format=json --refresh -- *", `{"token":"new"}`);
  const secret = open(tools).unit.secret({ id: ID });
  expect(await secret.tracked()).toEqual({ token: "old" });
  expect(await secret.refresh()).toEqual({ token: "new" });
  expect(await secret.tracked()).toEqual({ token: "new" });
});
