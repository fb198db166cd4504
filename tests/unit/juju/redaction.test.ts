import { expect, test } from "vitest";
import { describe } from "../../../src/base/errors.ts";
import { createLogger } from "../../../src/base/log.ts";
import { HookCommandError } from "../../../src/juju/errors.ts";
import { runJson } from "../../../src/juju/hook-tool.ts";
import { active, blocked, defineCharm, dispatch, type Charm, type Run } from "../../../src/juju/index.ts";
import { createHookTools, type HookTools } from "../../support/hook-tools.ts";

const ID = "9m4e2mr0ui3e8a215n4g";
/** With all that changes its look on the way: blanks that are folded, quotes, line breaks, Go's HTML escapes. */
const CONTENT = {
  password: `p4ss  "word"\\<&>\t'é`,
  "ssh-key": "-----BEGIN-----\nfirst line of key\nsecond line of key\n",
};
const PIECES = ["p4ss", "word", "first line of key", "second line", "-----BEGIN"];

type Leak = (run: Run<object>, secret: string) => Promise<void>;

function leaky(leak: Leak): Charm<object> {
  const read = async (run: Run<object>): Promise<void> => {
    const content = await run.unit.secret({ id: ID }).peek();
    for (const value of Object.values(content)) await leak(run, value);
  };
  return defineCharm<object>({
    metadata: { endpoints: [], storages: [] },
    parseConfig: () => ({}),
    hooks: { install: read },
    custom: {},
    actions: {
      show: async (run) => {
        await read(run);
        const { password = "" } = await run.unit.secret({ id: ID }).peek();
        await run.action.log(`log ${password}`);
        await run.action.setResults({ result: password });
        await run.action.fail(`fail ${password}`);
      },
    },
    collectStatus: async () => [active()],
  });
}

/** Everything that left the dispatch but through secret-get. */
async function seen(tools: HookTools, charm: Charm<object>, path: string): Promise<string> {
  let stderr = "";
  const deps = {
    createLogger,
    logLevel: "debug",
    stderr: { write: (text: string) => (stderr += text) },
  } as const;
  await tools.reply("secret-get*", JSON.stringify(CONTENT));
  await dispatch(charm, tools.context({ JUJU_DISPATCH_PATH: path }), deps, new AbortController().signal);
  return [stderr, ...(await tools.lines())].join("\n");
}

const LEAKS: readonly (readonly [string, Leak])[] = [
  ["a log's message", async ({ log }, secret) => log.info({}, `it is ${secret}`)],
  ["a log's field", async ({ log }, secret) => log.warn({ it: { is: secret } }, "x")],
  ["a log's error", async ({ log }, secret) => log.error({ err: new Error(secret) }, "x")],
  ["a status", async ({ setMaintenance }, secret) => await setMaintenance(`it is ${secret}`)],
  [
    "an error that fails the hook",
    async (_run, secret) => {
      throw new Error("outer", { cause: new Error(`inner ${secret}`) });
    },
  ],
  [
    "a hook command that fails and quotes its input",
    async (_run, secret) => {
      throw new HookCommandError("relation-set", 1, `ERROR cannot read ${secret}\n`);
    },
  ],
];

test.each(LEAKS)("a secret that was read does not get out through %s", async (_way, leak) => {
  await using tools = await createHookTools();
  const text = await seen(tools, leaky(leak), "hooks/install");
  expect(text).toContain("[redacted]");
  for (const piece of PIECES) expect(text).not.toContain(piece);
});

test("a secret that was read does not get out through an action's log, results or message", async () => {
  await using tools = await createHookTools();
  const text = await seen(
    tools,
    leaky(async () => {}),
    "actions/show",
  );
  expect(text).toContain("action-set -- result=[redacted]");
  expect(text).toMatch(/action-log -- log \[redacted\]\n[^]*action-fail -- fail \[redacted\]/);
  for (const piece of PIECES) expect(text).not.toContain(piece);
});

test("a secret that was read does not get out through the status that is collected", async () => {
  await using tools = await createHookTools();
  const charm = {
    ...leaky(async () => {}),
    collectStatus: async ({ unit }: Run<object>) => [
      blocked(`is ${(await unit.secret({ id: ID }).peek())["password"]}`),
    ],
  };
  expect(await seen(tools, charm, "hooks/install")).toContain("status-set -- blocked is [redacted]");
});

test("an error text of a hook command holds no secret", async () => {
  await using tools = await createHookTools();
  await seen(
    tools,
    leaky(async () => {}),
    "hooks/install",
  );
  const { message, stderr } = new HookCommandError("secret-add", 1, `ERROR bad value ${CONTENT.password}\n`);
  expect(`${message} ${stderr}`).toBe(
    "cannot run secret-add: bad value [redacted] ERROR bad value [redacted]\n",
  );
});

test("output that is no JSON is not quoted: it may be a secret that nobody could register", async () => {
  await using tools = await createHookTools();
  await tools.reply("secret-get*", "password: never-registered");
  const error: unknown = await runJson(tools.tool(), "secret-get", []).catch((e: unknown) => e);
  // with its causes
  expect(describe(error)).toBe("cannot read the output of secret-get: it is not JSON (26 characters)");
});
