import { describe, expect, test } from "vitest";
import { redact } from "../../../../src/base/redact.ts";
import * as hook from "../../../../src/juju/hook-commands.ts";
import type { HookTool } from "../../../../src/juju/hook-tool.ts";
import { createHookTools, HOOK_COMMANDS } from "../../../support/hook-tools.ts";

const IMAGE = { id: 7, endpoint: "image" };
const ID = "9m4e2mr0ui3e8a215n4g";
const URI = `secret:${ID}`;
const JSON_FLAG = "--format=json";

interface Row {
  readonly call: (tool: HookTool) => Promise<unknown>;
  /** Its command line after the name. */
  readonly line: string;
  readonly input?: string;
  readonly output?: string;
  readonly answer?: unknown;
}

const row = (call: Row["call"], line: string, output?: string, answer?: unknown): Row => ({
  call,
  line,
  ...(output === undefined ? {} : { output, answer }),
});

/** Every command in the forms that we call it in, with output as Juju prints it. */
const ROWS: readonly (readonly [command: string, ...Row[]])[] = [
  ["config-get", row(hook.configGet, JSON_FLAG, `{"a":"\\u003cb\\u003e","n":3}\n`, { a: "<b>", n: 3 })],
  ["is-leader", row(hook.isLeader, JSON_FLAG, "true\n", true)],
  [
    "unit-get",
    row((t) => hook.unitGet(t, "private"), `${JSON_FLAG} -- private-address`, `"10.0.0.5"\n`, "10.0.0.5"),
  ],
  [
    "status-get",
    row(hook.statusGet, `${JSON_FLAG} --include-data`, `{"message":"","status":"active","status-data":{}}`, {
      status: "active",
      message: "",
    }),
    row(
      hook.applicationStatusGet,
      `${JSON_FLAG} --include-data --application`,
      `{"application-status":{"message":"m","status":"waiting","status-data":{},"units":{}}}`,
      { status: "waiting", message: "m" },
    ),
  ],
  [
    "status-set",
    row((t) => hook.statusSet(t, "blocked", "--help"), "-- blocked --help"),
    row((t) => hook.statusSet(t, "active", "", "application"), "--application -- active "),
  ],
  ["application-version-set", row((t) => hook.applicationVersionSet(t, "-1"), "-- -1")],
  [
    "goal-state",
    row(
      hook.goalState,
      JSON_FLAG,
      `{"units":{"b/0":{"status":"active","since":"2026-01-01 00:00:00Z"}},"relations":{"image":{"r":{"status":"joined"}}}}`,
      {
        units: { "b/0": { status: "active", since: "2026-01-01 00:00:00Z" } },
        relations: { image: { r: { status: "joined", since: null } } },
      },
    ),
  ],
  [
    "credential-get",
    row(
      hook.credentialGet,
      JSON_FLAG,
      `{"type":"openstack","name":"sky","region":"west","endpoint":"","credential":{"auth-type":"userpass","attrs":{"username":"u","password":"model-S3cret"}}}`,
      {
        type: "openstack",
        name: "sky",
        region: "west",
        endpoint: null,
        authType: "userpass",
        attributes: { username: "u", password: "model-S3cret" },
      },
    ),
  ],
  ["juju-reboot", row((t) => hook.jujuReboot(t, false), ""), row((t) => hook.jujuReboot(t, true), "--now")],
  ["leader-get", row(hook.leaderGet, JSON_FLAG, `{"a":"1"}`, { a: "1" })],
  ["leader-set", row((t) => hook.leaderSet(t, { a: "1", "-b": "2" }), "-- a=1 -b=2")],
  ["relation-ids", row((t) => hook.relationIds(t, "image"), `${JSON_FLAG} -- image`, `["image:7"]`, [IMAGE])],
  [
    "relation-list",
    row((t) => hook.relationList(t, IMAGE), `${JSON_FLAG} -r image:7`, `["r/0"]`, ["r/0"]),
    row((t) => hook.relationApplication(t, IMAGE), `${JSON_FLAG} -r image:7 --app`, `"r"`, "r"),
  ],
  [
    "relation-get",
    row((t) => hook.relationGet(t, IMAGE, { unit: "r/0" }), `${JSON_FLAG} -r image:7 - r/0`, `{"a":""}`, {
      a: "",
    }),
    row(
      (t) => hook.relationGet(t, IMAGE, { application: "r" }),
      `${JSON_FLAG} -r image:7 --app - r`,
      "null",
      {},
    ),
  ],
  [
    "relation-set",
    {
      call: (t) => hook.relationSet(t, IMAGE, "unit", { a: "=" }),
      line: "-r image:7 --file -",
      input: `{"a":"="}`,
    },
    {
      call: (t) => hook.relationSet(t, IMAGE, "application", { a: "" }),
      line: "-r image:7 --app --file -",
      input: `{"a":""}`,
    },
  ],
  [
    "relation-model-get",
    row((t) => hook.relationModelGet(t, IMAGE), `${JSON_FLAG} -r image:7`, `{"uuid":"u"}`, "u"),
  ],
  [
    "secret-get",
    row((t) => hook.secretGet(t, { id: URI }, "tracked"), `${JSON_FLAG} -- ${URI}`, `{"key":"v"}`, {
      key: "v",
    }),
    row((t) => hook.secretGet(t, { label: "-l" }, "peek"), `${JSON_FLAG} --peek --label -l`, `{}`, {}),
    row((t) => hook.secretGet(t, { id: URI }, "refresh"), `${JSON_FLAG} --refresh -- ${URI}`, `{}`, {}),
  ],
  [
    "secret-info-get",
    row(
      (t) => hook.secretInfoGet(t, { id: URI }),
      `${JSON_FLAG} -- ${URI}`,
      `{"${ID}":{"revision":1,"label":"l","owner":"application","description":"d","rotation":"never","access":[{"target":"application-r","scope":"relation-7","role":"view"}]}}`,
      {
        id: ID,
        revision: 1,
        label: "l",
        owner: "application",
        description: "d",
        rotation: "never",
        expiry: null,
        access: [{ target: "application-r", scope: "relation-7", role: "view" }],
      },
    ),
  ],
  ["secret-ids", row(hook.secretIds, JSON_FLAG, `["${ID}"]`, [ID])],
  [
    "secret-add",
    row(
      (t) => hook.secretAdd(t, "application", {}, { rotate: "daily" }),
      "--owner application --rotate daily --",
      `${URI}\n`,
      URI,
    ),
  ],
  [
    "secret-set",
    row(
      (t) => hook.secretSet(t, URI, {}, { description: "d", expire: "1h" }),
      `--description d --expire 1h -- ${URI}`,
    ),
  ],
  [
    "secret-grant",
    row((t) => hook.secretGrant(t, URI, IMAGE), `-r image:7 -- ${URI}`),
    row((t) => hook.secretGrant(t, URI, IMAGE, "r/0"), `-r image:7 --unit r/0 -- ${URI}`),
  ],
  [
    "secret-revoke",
    row((t) => hook.secretRevoke(t, URI, { relation: IMAGE }), `-r image:7 -- ${URI}`),
    row((t) => hook.secretRevoke(t, URI, { application: "r" }), `--app r -- ${URI}`),
    row((t) => hook.secretRevoke(t, URI, { unit: "r/0" }), `--unit r/0 -- ${URI}`),
  ],
  [
    "secret-remove",
    row((t) => hook.secretRemove(t, URI), `-- ${URI}`),
    row((t) => hook.secretRemove(t, URI, 3), `--revision 3 -- ${URI}`),
  ],
  ["action-get", row(hook.actionGet, JSON_FLAG, `{"n":2.0}`, { n: 2 })],
  ["action-set", row((t) => hook.actionSet(t, { a: { b: 1 } }), "-- a.b=1")],
  ["action-fail", row((t) => hook.actionFail(t, "-x\ny"), "-- -x y")],
  ["action-log", row((t) => hook.actionLog(t, "-x"), "-- -x")],
  ["juju-log", row((t) => hook.jujuLog(t, "CRITICAL", "-x"), "--log-level CRITICAL -- -x")],
  [
    "network-get",
    row((t) => hook.networkGet(t, "image"), `${JSON_FLAG} -- image`, `{"egress-subnets":["10.0.0.5/32"]}`, {
      bindAddresses: [],
      ingressAddresses: [],
      egressSubnets: ["10.0.0.5/32"],
    }),
  ],
  [
    "open-port",
    row((t) => hook.openPort(t, "80/tcp"), "-- 80/tcp"),
    row((t) => hook.openPort(t, "80-90/udp", ["image", "cos"]), "--endpoints image,cos -- 80-90/udp"),
  ],
  [
    "close-port",
    row((t) => hook.closePort(t, "icmp"), "-- icmp"),
    row((t) => hook.closePort(t, "80/tcp", ["image"]), "--endpoints image -- 80/tcp"),
  ],
  ["opened-ports", row(hook.openedPorts, JSON_FLAG, `["80/tcp","icmp"]`, ["80/tcp", "icmp"])],
  [
    "state-get",
    row(hook.stateGetAll, JSON_FLAG, "null", {}),
    row((t) => hook.stateGet(t, "-k"), `${JSON_FLAG} --strict -- -k`, `""`, ""),
  ],
  ["state-set", { call: (t) => hook.stateSet(t, { a: "😀" }), line: "--file -", input: `{"a":"😀"}` }],
  ["state-delete", row((t) => hook.stateDelete(t, "-k"), "-- -k")],
  ["storage-list", row((t) => hook.storageList(t), JSON_FLAG, `["data/0"]`, ["data/0"])],
  [
    "storage-get",
    row((t) => hook.storageGet(t, "data/0"), `${JSON_FLAG} -s data/0`, `{"kind":"block","location":""}`, {
      kind: "block",
      location: null,
    }),
  ],
  ["storage-add", row((t) => hook.storageAdd(t, "data", 2), "-- data=2")],
  ["resource-get", row((t) => hook.resourceGet(t, "tool"), "-- tool", "/p", "/p")],
];

test("there is a function for every hook command that a machine charm can use", () => {
  expect(ROWS.map(([command]) => command).toSorted()).toEqual(HOOK_COMMANDS.toSorted());
});

test.each(ROWS.map(([command, ...rows]) => ({ command, rows })))(
  "$command is called with flags first, free text after --, and JSON asked for",
  async ({ command, rows }) => {
    for (const { call, line, input = "", output, answer } of rows) {
      await using tools = await createHookTools();
      if (output !== undefined) await tools.reply(`${command}*`, output);
      expect(await call(tools.tool({ JUJU_VERSION: "3.6.9" }))).toEqual(answer);
      const [only, ...others] = await tools.calls();
      expect({ line: only?.argv.join(" "), input: only?.input, others }).toEqual({
        line: line === "" ? command : `${command} ${line}`,
        input,
        others: [],
      });
    }
  },
);

test("what credential-get says is redacted from then on", async () => {
  await using tools = await createHookTools();
  const output = `{"type":"maas","name":"m","credential":{"auth-type":"oauth1","attrs":{"maas-oauth":"a:b:c-credential"}}}`;
  await tools.reply("credential-get*", output);
  await hook.credentialGet(tools.tool());
  expect(redact("key a:b:c-credential")).toBe("key [redacted]");
});

describe("version gates", () => {
  const secrets = "cannot use secrets: it needs Juju 3.0.3, this agent is";
  const gates: readonly (readonly [string, string, (tool: HookTool) => Promise<unknown>, string])[] = [
    [
      "relation-model-get",
      "3.6.1",
      (t) => hook.relationModelGet(t, IMAGE),
      "cannot use relation-model-get: it needs Juju 3.6.2, this agent is 3.6.1",
    ],
    ["leader-get", "4.0-beta1", hook.leaderGet, "cannot use leader settings: Juju 4.0-beta1 has none"],
    [
      "leader-set",
      "4.0.0",
      (t) => hook.leaderSet(t, { a: "1" }),
      "cannot use leader settings: Juju 4.0.0 has none",
    ],
    ["secret-get", "2.9.50", (t) => hook.secretGet(t, { id: URI }, "tracked"), `${secrets} 2.9.50`],
    // its flag was --update until 3.0.2
    ["secret-get --refresh", "3.0.1", (t) => hook.secretGet(t, { id: URI }, "refresh"), `${secrets} 3.0.1`],
    ["secret-info-get", "3.0.2", (t) => hook.secretInfoGet(t, { id: URI }), `${secrets} 3.0.2`],
    ["secret-ids", "3.0.2", hook.secretIds, `${secrets} 3.0.2`],
    ["secret-add", "3.0.2", (t) => hook.secretAdd(t, "unit", { key: "v" }, {}), `${secrets} 3.0.2`],
    ["secret-set", "3.0.2", (t) => hook.secretSet(t, URI, { key: "v" }, {}), `${secrets} 3.0.2`],
    ["secret-grant", "2.9.50", (t) => hook.secretGrant(t, URI, IMAGE), `${secrets} 2.9.50`],
    ["secret-revoke", "2.9.50", (t) => hook.secretRevoke(t, URI, { relation: IMAGE }), `${secrets} 2.9.50`],
    ["secret-remove", "2.9.50", (t) => hook.secretRemove(t, URI), `${secrets} 2.9.50`],
    [
      "state-get",
      "2.7.8",
      hook.stateGetAll,
      "cannot use the charm's state: it needs Juju 2.8, this agent is 2.7.8",
    ],
    [
      "state-get of one key",
      "2.7.8",
      (t) => hook.stateGet(t, "k"),
      "cannot use the charm's state: it needs Juju 2.8, this agent is 2.7.8",
    ],
    [
      "state-set",
      "2.7.8",
      (t) => hook.stateSet(t, { k: "v" }),
      "cannot use the charm's state: it needs Juju 2.8, this agent is 2.7.8",
    ],
    [
      "state-delete",
      "2.7.8",
      (t) => hook.stateDelete(t, "k"),
      "cannot use the charm's state: it needs Juju 2.8, this agent is 2.7.8",
    ],
    [
      "open-port --endpoints",
      "2.8.1",
      (t) => hook.openPort(t, "80/tcp", ["image"]),
      "cannot use ports of single endpoints: it needs Juju 2.9, this agent is 2.8.1",
    ],
    [
      "close-port --endpoints",
      "2.8.1",
      (t) => hook.closePort(t, "80/tcp", ["image"]),
      "cannot use ports of single endpoints: it needs Juju 2.9, this agent is 2.8.1",
    ],
    [
      "relation-get --app",
      "2.6.9",
      (t) => hook.relationGet(t, IMAGE, { application: "r" }),
      "cannot use an application's databag: it needs Juju 2.7, this agent is 2.6.9",
    ],
    [
      "relation-set --app",
      "2.6.9",
      (t) => hook.relationSet(t, IMAGE, "application", {}),
      "cannot use an application's databag: it needs Juju 2.7, this agent is 2.6.9",
    ],
  ];

  test.each(gates)(
    "%s is refused on Juju %s by one sentence, before anything is started",
    async (_command, version, call, sentence) => {
      await using tools = await createHookTools();
      await expect(call(tools.tool({ JUJU_VERSION: version }))).rejects.toThrow(sentence);
      expect(await tools.lines()).toEqual([]);
    },
  );

  test("a hook that is given no version asks, and lets the agent refuse", async () => {
    await using tools = await createHookTools();
    await tools.reply("secret-ids*", "null");
    expect(await hook.secretIds(tools.tool({ JUJU_VERSION: "" }))).toEqual([]);
  });
});
