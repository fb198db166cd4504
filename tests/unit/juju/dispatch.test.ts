import { literal, object, number, string } from "valibot";
import { expect, test } from "vitest";
import { ConfigError, CancelledError } from "../../../src/base/errors.ts";
import { createLogger } from "../../../src/base/log.ts";
import {
  active,
  blocked,
  defineCharm,
  dispatch,
  waiting,
  type Charm,
  type Run,
} from "../../../src/juju/index.ts";
import { createHookTools, type HookTools } from "../../support/hook-tools.ts";

interface Config {
  readonly name: string;
}

const QUIET: Charm<Config> = defineCharm<Config>({
  metadata: { endpoints: ["image"], storages: [] },
  parseConfig: ({ name }) =>
    typeof name === "string" ? { name } : new ConfigError(["option name: not set", "option size: too small"]),
  hooks: {},
  custom: {},
  actions: {},
  collectStatus: async () => [active()],
});

async function run(
  tools: HookTools,
  charm: Charm<Config>,
  path: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ code: number; stderr: string }> {
  let stderr = "";
  const deps = {
    createLogger,
    logLevel: "info",
    stderr: { write: (text: string) => (stderr += text) },
  } as const;
  const extra = { JUJU_DISPATCH_PATH: path, JUJU_RELATION_ID: path.includes("relation") ? "image:7" : "" };
  const code = await dispatch(charm, tools.context(extra), deps, signal);
  return { code, stderr };
}

test("an idle update-status costs one hook command of the framework's own", async () => {
  await using tools = await createHookTools();
  expect(await run(tools, QUIET, "hooks/update-status")).toEqual({ code: 0, stderr: "" });
  expect(await tools.lines()).toEqual(["status-set -- active "]);
});

test("an idle update-status that looks at config and relations costs four", async () => {
  await using tools = await createHookTools();
  await tools.reply("config-get*", `{"name":"a"}`);
  await tools.reply("relation-ids*", `["image:7"]`);
  await tools.reply("relation-list*", `["runner/0"]`);
  const charm: Charm<Config> = {
    ...QUIET,
    hooks: {
      "update-status": async ({ unit, config }) => {
        const [, relations] = await Promise.all([config(), unit.relations("image")]);
        await Promise.all(relations.map((relation) => relation.remoteUnits()));
      },
    },
    collectStatus: async ({ unit, config }) => {
      await config();
      return [(await unit.relations("image")).length === 0 ? waiting("no relation") : active()];
    },
  };
  expect((await run(tools, charm, "hooks/update-status")).code).toBe(0);
  expect(await tools.lines()).toHaveLength(4);
});

test("the handler of the event runs with its typed event", async () => {
  await using tools = await createHookTools();
  const seen: unknown[] = [];
  const charm: Charm<Config> = {
    ...QUIET,
    hooks: {
      "relation-changed": async ({ event }) => void seen.push(event.relation.endpoint, event.remoteUnit),
    },
    custom: { "build-changed": async ({ event }) => void seen.push(event.name) },
  };
  await run(tools, charm, "hooks/image-relation-changed");
  await run(tools, charm, "build-changed");
  expect(seen).toEqual(["image", null, "build-changed"]);
});

test("one handler may serve many hooks and custom events", async () => {
  await using tools = await createHookTools();
  const kinds: string[] = [];
  const reconcile = async ({ event }: Run<Config>): Promise<void> => void kinds.push(event.kind);
  const charm = defineCharm<Config>({
    ...QUIET,
    hooks: {
      install: reconcile,
      "config-changed": reconcile,
      "relation-changed": reconcile,
      "secret-changed": reconcile,
    },
    custom: { run: reconcile },
  });
  await run(tools, charm, "hooks/install");
  await run(tools, charm, "hooks/image-relation-changed");
  await run(tools, charm, "run");
  expect(kinds).toEqual(["install", "relation-changed", "custom"]);
});

test.each(["hooks/collect-metrics", "hooks/dropped-relation-changed", "unheard-of", "constructor", ""])(
  "the unknown event %j exits with 0 and still sets the status",
  async (path) => {
    await using tools = await createHookTools();
    const charm = path.includes("dropped") ? { ...QUIET, metadata: { endpoints: [], storages: [] } } : QUIET;
    expect((await run(tools, charm, path)).code).toBe(0);
    const lines = await tools.lines();
    expect(lines).toContain("status-set -- active ");
    expect(lines.join()).toContain("ignored an event that this revision of the charm does not know");
  },
);

test("a hook without a version, as meter-status-changed is, is ignored like any unknown one", async () => {
  await using tools = await createHookTools();
  const deps = { createLogger, logLevel: "info", stderr: { write: () => true } } as const;
  const extra = { JUJU_DISPATCH_PATH: "hooks/meter-status-changed", JUJU_VERSION: "" };
  expect(await dispatch(QUIET, tools.context(extra), deps, new AbortController().signal)).toBe(0);
  expect(await tools.lines()).toContain("status-set -- active ");
});

test("writes follow the handler and the collected status, the status comes last", async () => {
  await using tools = await createHookTools();
  await tools.reply("relation-ids*", `["image:7"]`);
  await tools.reply("relation-get*", "{}");
  const charm: Charm<Config> = {
    ...QUIET,
    custom: {
      run: async ({ unit, setMaintenance }) => {
        for (const relation of await unit.relations("image")) relation.setUnitData({ id: "1" });
        await setMaintenance("publishing");
      },
    },
    collectStatus: async ({ unit }) => {
      const [relation] = await unit.relations("image");
      const data = await relation?.ourUnitData();
      return [active(`id ${data?.["id"]}`)];
    },
  };
  expect((await run(tools, charm, "run")).code).toBe(0);
  expect((await tools.lines()).filter((line) => /-set/.test(line))).toEqual([
    "status-set -- maintenance publishing",
    "relation-set -r image:7 --file -",
    "status-set -- active id 1",
  ]);
});

test.each(["run", "hooks/config-changed"])(
  "%s that fails writes nothing, logs why, exits with 1",
  async (path) => {
    await using tools = await createHookTools();
    const fail = async ({ unit }: { unit: { state: { set: (key: string, value: string) => void } } }) => {
      unit.state.set("a", "1");
      throw new Error("cannot reach the cloud", { cause: new Error("refused") });
    };
    const charm: Charm<Config> = { ...QUIET, hooks: { "config-changed": fail }, custom: { run: fail } };
    expect((await run(tools, charm, path)).code).toBe(1);
    const calls = await tools.calls();
    expect(calls.map(({ argv }) => argv.slice(0, 3))).toEqual([
      ["juju-log", "--log-level", "ERROR"],
      ["juju-log", "--log-level", "DEBUG"],
    ]);
    expect(calls[0]?.argv.at(-1)).toMatch(/^dispatch failed .*err="cannot reach the cloud: refused"$/);
    expect(calls[1]?.argv.at(-1)).toContain("dispatch.test.ts");
  },
);

test("a status that cannot be collected leaves nothing written", async () => {
  await using tools = await createHookTools();
  const charm: Charm<Config> = {
    ...QUIET,
    custom: { run: async ({ unit }) => unit.state.set("a", "1") },
    collectStatus: async () => {
      throw new Error("no facts");
    },
  };
  expect((await run(tools, charm, "run")).code).toBe(1);
  expect((await tools.lines()).filter((line) => !line.startsWith("juju-log"))).toEqual([]);
});

test("wrong config blocks with the first problem, logs all, exits with 0", async () => {
  await using tools = await createHookTools();
  await tools.reply("config-get*", "{}");
  const charm: Charm<Config> = {
    ...QUIET,
    hooks: { "config-changed": async ({ config }) => void (await config()) },
  };
  expect((await run(tools, charm, "hooks/config-changed")).code).toBe(0);
  const lines = await tools.lines();
  expect(lines).toContain("status-set -- blocked option name: not set (and 1 more, see juju debug-log)");
  expect(lines.join("\n")).toMatch(/option name: not set[^]*option size: too small/);
});

test("a handler that needs no config runs though the config is wrong", async () => {
  await using tools = await createHookTools();
  await tools.reply("config-get*", "{}");
  let stopped = false;
  const charm: Charm<Config> = {
    ...QUIET,
    hooks: { stop: async () => void (stopped = true) },
    collectStatus: async ({ config }) => [active((await config()).name)],
  };
  expect((await run(tools, charm, "hooks/stop")).code).toBe(0);
  expect(stopped).toBe(true);
  expect((await tools.lines()).join("\n")).toContain("status-set -- blocked option name: not set");
});

test("no status collected leaves the status as it is", async () => {
  await using tools = await createHookTools();
  await run(tools, { ...QUIET, collectStatus: async () => [] }, "hooks/update-status");
  expect(await tools.lines()).toEqual([]);
});

test("the worst of the collected statuses is set", async () => {
  await using tools = await createHookTools();
  const charm: Charm<Config> = {
    ...QUIET,
    collectStatus: async () => [active(), blocked("no image"), waiting("w")],
  };
  await run(tools, charm, "hooks/update-status");
  expect(await tools.lines()).toEqual(["status-set -- blocked no image"]);
});

const schema = object({ base: literal("noble"), count: number(), note: string() });

test("an action gets its parameters parsed, once, and sets results", async () => {
  await using tools = await createHookTools();
  await tools.reply("action-get*", `{"base":"noble","count":2,"note":"x"}`);
  const charm: Charm<Config> = {
    ...QUIET,
    actions: {
      run: async ({ action }) => {
        const { count } = await action.params(schema);
        await action.params(schema);
        await action.setResults({ images: { built: count } });
      },
    },
  };
  expect((await run(tools, charm, "actions/run")).code).toBe(0);
  expect(await tools.lines()).toEqual([
    "action-get --format=json",
    "action-set -- images.built=2",
    "status-set -- active ",
  ]);
});

test("wrong parameters fail the action with every problem, exit 0, and write nothing", async () => {
  await using tools = await createHookTools();
  await tools.reply("action-get*", `{"base":"focal","count":"2"}`);
  const charm: Charm<Config> = {
    ...QUIET,
    actions: {
      run: async ({ action, unit }) => {
        unit.state.set("a", "1");
        await action.params(schema);
      },
    },
  };
  expect((await run(tools, charm, "actions/run")).code).toBe(0);
  const lines = await tools.lines();
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/^action-fail -- .*parameter base: .*parameter count: .*parameter note: /);
});

test("an action that throws is failed with the reason, exits with 0, and writes nothing", async () => {
  await using tools = await createHookTools();
  const charm: Charm<Config> = {
    ...QUIET,
    actions: {
      run: async ({ unit }) => {
        unit.state.set("a", "1");
        throw new Error("cannot start the build", { cause: new Error("disk full") });
      },
    },
  };
  expect((await run(tools, charm, "actions/run")).code).toBe(0);
  const lines = (await tools.lines()).filter((line) => !line.startsWith("juju-log"));
  expect(lines).toEqual(["action-fail -- cannot start the build: disk full"]);
});

test("an action that fails itself keeps its results and its writes", async () => {
  await using tools = await createHookTools();
  await tools.reply("state-get*", "null");
  const charm: Charm<Config> = {
    ...QUIET,
    actions: {
      run: async ({ action, unit }) => {
        unit.state.set("a", "1");
        await action.setResults({ built: 0 });
        await action.fail("nothing to build");
      },
    },
  };
  await run(tools, charm, "actions/run");
  expect((await tools.lines()).filter((line) => !line.startsWith("state-get"))).toEqual([
    "action-set -- built=0",
    "action-fail -- nothing to build",
    "state-set --file -",
    "status-set -- active ",
  ]);
});

test("an action that the charm does not have is failed", async () => {
  await using tools = await createHookTools();
  expect((await run(tools, QUIET, "actions/prune")).code).toBe(0);
  expect((await tools.lines()).at(-1)).toContain('cannot run the action "prune"');
});

test("wrong config fails an action and leaves the status alone", async () => {
  await using tools = await createHookTools();
  await tools.reply("config-get*", "{}");
  const charm: Charm<Config> = { ...QUIET, actions: { run: async ({ config }) => void (await config()) } };
  expect((await run(tools, charm, "actions/run")).code).toBe(0);
  expect((await tools.lines()).slice(1)).toEqual([
    "action-fail -- option name: not set; option size: too small",
  ]);
});

test("a cancelled dispatch ends its hook command, writes nothing and gives 143", async () => {
  await using tools = await createHookTools();
  await tools.reply("config-get*", { shell: `: >"$dir/started"; exec sleep 60` });
  const cancel = new AbortController();
  const charm: Charm<Config> = {
    ...QUIET,
    custom: {
      run: async ({ unit }) => {
        unit.state.set("a", "1");
        const config = unit.config();
        cancel.abort(new CancelledError("received SIGTERM"));
        await config;
      },
    },
  };
  expect((await run(tools, charm, "run", cancel.signal)).code).toBe(143);
  expect((await tools.lines()).filter((line) => !/^(juju-log|config-get)/.test(line))).toEqual([]);
});

test("a handler that swallows the cancel still writes nothing, and no status is collected", async () => {
  await using tools = await createHookTools();
  const cancel = new AbortController();
  let isCollected = false;
  const charm: Charm<Config> = {
    ...QUIET,
    custom: {
      run: async ({ unit }) => {
        unit.state.set("a", "1");
        cancel.abort(new CancelledError("received SIGTERM"));
      },
    },
    collectStatus: async () => {
      isCollected = true;
      return [active()];
    },
  };
  expect((await run(tools, charm, "run", cancel.signal)).code).toBe(143);
  expect((await tools.lines()).filter((line) => !line.startsWith("juju-log"))).toEqual([]);
  expect(isCollected).toBe(false);
});

test("a log that cannot be written does not fail the hook", async () => {
  await using tools = await createHookTools();
  await tools.reply("juju-log*", { stderr: "ERROR gone\n", code: 1 });
  const charm: Charm<Config> = { ...QUIET, hooks: { install: async ({ log }) => log.info("installing") } };
  const { code, stderr } = await run(tools, charm, "hooks/install");
  expect(code).toBe(0);
  expect(stderr).toContain("INFO installing");
});
