import { describe, expect, it } from "vitest";
import { parseCommandLine, type FlagSpec } from "../../../lab/juju/command-line.ts";
import { formatValue, goJson } from "../../../lab/juju/format.ts";
import { readStringMap, writeYaml } from "../../../lab/juju/yaml.ts";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const FLAGS: readonly FlagSpec[] = [
  { names: ["all", "a"], kind: "bool" },
  { names: ["relation", "r"], kind: "string" },
];

async function ready(version = "3.6.9"): Promise<Playground> {
  const lab = await playground({ version });
  const charm = await lab.charm({
    metadata: { provides: { image: { interface: "image" } }, "extra-bindings": { extra: null } },
    options: {
      name: { type: "string", default: "<a> & b" },
      unset: { type: "string" },
      size: { type: "int", default: 3 },
      ratio: { type: "float", default: 3 },
      on: { type: "boolean", default: true },
    },
  });
  await lab.juju.deploy("app", { charm });
  await lab.juju.settle();
  return lab;
}

describe("flags", () => {
  it("stand between parameters, as --flag v, --flag=v, -r v, -r7, grouped, and end at --", () => {
    expect(parseCommandLine(["x", "--relation", "7", "y", "--", "-a"], FLAGS)).toEqual({
      flags: new Set(),
      values: new Map([["relation", ["7"]]]),
      parameters: ["x", "y", "-a"],
    });
    expect(parseCommandLine(["--relation=a=b", "--all=True"], FLAGS).values.get("relation")).toEqual(["a=b"]);
    expect(parseCommandLine(["-ar7", "-"], FLAGS)).toMatchObject({
      flags: new Set(["all"]),
      parameters: ["-"],
    });
    expect(parseCommandLine(["-a", "--all=0"], FLAGS).flags.size).toBe(0);
  });

  it.each([
    [["--nope"], "option provided but not defined: --nope"],
    [["-x"], "option provided but not defined: -x"],
    [["--relation"], "option needs an argument: --relation"],
    [
      ["--all=maybe"],
      'invalid value "maybe" for option --all: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])("%j are refused as %s", (words, message) => {
    expect(() => parseCommandLine(words, FLAGS)).toThrow(message);
  });
});

describe("formats", () => {
  it("writes JSON compactly, with sorted keys and escaped HTML", () => {
    expect(goJson({ b: "<&>\u2028", a: [1, null, true] })).toBe(
      '{"a":[1,null,true],"b":"\\u003c\\u0026\\u003e\\u2028"}',
    );
  });

  it("prints smart: texts raw, lists by line, booleans as in Python, nothing for nil", () => {
    expect(["x", ["a", "b"], true, null, 3].map((value) => formatValue(value, "smart"))).toEqual([
      "x\n",
      "a\nb\n",
      "True\n",
      "",
      "3\n",
    ]);
  });

  it("quotes in YAML what would not be read back as text", () => {
    expect(writeYaml({ b: "yes", a: "1", c: ["x"] })).toBe('a: "1"\nb: "yes"\nc:\n- x\n');
  });
});

describe("YAML 1.1 input of --file", () => {
  it("keeps scalars as written, takes null as deletion and raw characters beyond the BMP", () => {
    expect(readStringMap('{"a":"😀","b":yes,"c":1.0,"d":null,"e":010}')).toEqual(
      new Map(Object.entries({ a: "😀", b: "yes", c: "1.0", d: "", e: "010" })),
    );
  });

  it("folds a raw U+0085 to a space, but not its escape", () => {
    expect(readStringMap('{"a":"x\u0085y","b":"x\\u0085y"}')).toEqual(
      new Map([
        ["a", "x y"],
        ["b", "x\u0085y"],
      ]),
    );
  });

  it.each([
    ['{"a":"\\ud83d\\ude00"}', "invalid Unicode character escape code"],
    ['{"a":"x\u007fy"}', "control characters are not allowed"],
    ['{"a":"x\u0091y"}', "control characters are not allowed"],
    ['{"a":{"b":"c"}}', "cannot unmarshal !!map into string"],
    ["- a", "cannot unmarshal !!seq"],
  ])("refuses %j", (text, message) => {
    expect(() => readStringMap(text)).toThrow(message);
  });

  it("takes an escaped backslash before u for no surrogate", () => {
    expect(readStringMap('{"a":"\\\\ud83d"}')).toEqual(new Map([["a", "\\ud83d"]]));
  });
});

describe("hook commands", () => {
  it("print what Juju's print and exit 0", async () => {
    await using lab = await ready();
    const run = async (commands: string): Promise<string> => (await lab.juju.exec("app/0", commands)).stdout;
    expect(await run("config-get --format=json")).toBe(
      '{"name":"\\u003ca\\u003e \\u0026 b","on":true,"ratio":3,"size":3}\n',
    );
    expect(await run("config-get --format json -a")).toContain('"unset":null');
    expect(await run("config-get unset --format=json; config-get nokey --format=json")).toBe("null\nnull\n");
    expect(await run("config-get unset; config-get on; config-get name")).toBe("True\n<a> & b\n");
    expect(await run("state-get --format=json; secret-ids --format=json")).toBe("null\nnull\n");
    expect(await run("is-leader --format=json; is-leader")).toBe("true\nTrue\n");
    expect(await run("relation-ids image --format=json; relation-ids nope --format=json")).toBe("[]\n[]\n");
    expect(await run("network-get extra --format=json --bind-address")).toBe('"10.0.0.1"\n');
    expect(await run("network-get image --format=json")).toBe(
      '{"bind-addresses":[{"addresses":[{"cidr":"10.0.0.0/24","hostname":"","value":"10.0.0.1"}],"interface-name":"","mac-address":""}],"egress-subnets":["10.0.0.1/32"],"ingress-addresses":["10.0.0.1"]}\n',
    );
    expect(await run("config-get size -o out.txt; cat out.txt")).toBe("3\n");
    expect(await run("status-set active -- '-x'; status-get --include-data --format=json")).toBe(
      '{"message":"-x","status":"active","status-data":{}}\n',
    );
  });

  it.each([
    ["status-set broken", 2, 'invalid status "broken", expected one of [maintenance blocked waiting active]'],
    ["config-get --nope", 2, "option provided but not defined: --nope"],
    ["config-get a b", 2, 'unrecognized args: ["b"]'],
    ["relation-get -r x - app/0", 2, 'invalid value "x" for option -r: invalid relation id'],
    [
      "relation-get --relation image:9 - app/0",
      2,
      'invalid value "image:9" for option --relation: relation not found',
    ],
    ["relation-set a=b", 2, "no relation id specified"],
    ["action-get", 1, "not running an action"],
    ["secret-get", 2, "require either a secret URI or label"],
    ["secret-get foo", 2, 'secret URI "foo" not valid'],
    ["secret-add Key=v", 2, 'key "Key" not valid'],
    ["network-get nope", 1, 'no network config found for binding "nope"'],
    ["state-get nope --strict", 1, '"nope" not found'],
    ["env -u JUJU_CONTEXT_ID config-get", 1, "JUJU_CONTEXT_ID not set"],
  ])("%s fails with exit code %i and one line", async (command, exit, message) => {
    await using lab = await ready();
    expect(await lab.juju.exec("app/0", command)).toEqual({ exit, stdout: "", stderr: `ERROR ${message}\n` });
  });

  it("refuse a context id that is not the running one", async () => {
    await using lab = await ready();
    const { exit, stderr } = await lab.juju.exec("app/0", "JUJU_CONTEXT_ID=app/0-x config-get");
    expect(exit).toBe(1);
    expect(stderr).toMatch(
      /^ERROR bad request: expected context id "app\/0-run-commands-[0-9a-f]{32}", got "app\/0-x"\n$/,
    );
  });

  it("read standard input only when asked, so an open input does not hang them", async () => {
    await using lab = await ready();
    const { stdout } = await lab.juju.exec(
      "app/0",
      `mkfifo f; sleep 30 <>f & exec 3<>f; config-get size <&3; printf '{"k":"v <"}' | state-set --file -; state-get --format=json; kill %1`,
    );
    expect(stdout).toBe('3\n{"k":"v \\u003c"}\n');
    const [, set] = lab.juju.journal().filter(({ command }) => ["config-get", "state-set"].includes(command));
    expect(set?.input).toBe('{"k":"v <"}');
  });

  it("log at the level asked for; an unknown level is INFO and a warning", async () => {
    await using lab = await ready();
    const { exit } = await lab.juju.exec(
      "app/0",
      `juju-log -l ERROR a b; juju-log --debug c; juju-log -l nope -- -d`,
    );
    expect(exit).toBe(0);
    expect(
      lab.juju
        .logs()
        .slice(-4)
        .map(({ level, message }) => [level, message]),
    ).toEqual([
      ["ERROR", "a b"],
      ["DEBUG", "c"],
      ["WARNING", 'Specified log level of "NOPE" is not valid'],
      ["INFO", "-d"],
    ]);
  });

  it("refuse overlapping ports, take exact repeats", async () => {
    await using lab = await ready();
    const { stdout, stderr } = await lab.juju.exec(
      "app/0",
      "open-port 80-90; open-port 80-90/tcp; open-port icmp; open-port 85; opened-ports --format=json",
    );
    expect(stdout).toBe('["80-90/tcp","icmp"]\n');
    expect(stderr).toBe(
      'ERROR cannot open 85/tcp (unit "app/0"): port range conflicts with 80-90/tcp (unit "app/0")\n',
    );
  });

  it("differ by version: leader-get until 3, secret-get from 3, relation-model-get from 3.6", async () => {
    const present = async (version: string): Promise<readonly string[]> => {
      await using lab = await ready(version);
      const names = ["leader-get", "secret-get", "relation-model-get"];
      const { stdout } = await lab.juju.exec(
        "app/0",
        names.map((name) => `command -v ${name} || true`).join("\n"),
      );
      return names.filter((name) => stdout.includes(name));
    };
    expect(await present("2.9.50")).toEqual(["leader-get"]);
    expect(await present("3.6.9")).toEqual(["leader-get", "secret-get", "relation-model-get"]);
    expect(await present("4.0.0")).toEqual(["secret-get", "relation-model-get"]);
  });
});
