import { describe, expect, it } from "vitest";
import { formatValue, goJson } from "../../../lab/juju/format.ts";
import { writeYaml } from "../../../lab/juju/yaml.ts";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

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
      ["WARNING", 'Specified log level of "nope" is not valid'],
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
});
