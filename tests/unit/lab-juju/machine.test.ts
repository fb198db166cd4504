import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const METADATA = {
  provides: { image: { interface: "image" } },
  peers: { replicas: { interface: "replicas" } },
  "extra-bindings": { extra: null },
  resources: { tool: { type: "file", filename: "tool.tar" } },
};

async function ready(): Promise<Playground> {
  const lab = await playground();
  await lab.juju.deploy("app", { charm: await lab.charm({ metadata: METADATA }) });
  await lab.juju.settle();
  return lab;
}

async function run(lab: Playground, command: string): Promise<string> {
  const { stdout, stderr } = await lab.juju.exec("app/0", command);
  return stdout + stderr;
}

describe("network-get", () => {
  it("gives one value for one flag, an object for several, and everything for none", async () => {
    await using lab = await ready();
    expect(await run(lab, "network-get extra --bind-address")).toBe("10.0.0.1\n");
    expect(await run(lab, "network-get extra --primary-address")).toBe("10.0.0.1\n");
    expect(await run(lab, "network-get image --egress-subnets --format=json")).toBe('["10.0.0.1/32"]\n');
    expect(
      await run(lab, "network-get image --ingress-address --egress-subnets --bind-address --format=json"),
    ).toBe('{"bind-address":"10.0.0.1","egress-subnets":["10.0.0.1/32"],"ingress-address":"10.0.0.1"}\n');
    expect(await run(lab, "network-get juju-info --format=json")).toBe(
      '{"bind-addresses":[{"addresses":[{"cidr":"10.0.0.0/24","hostname":"","value":"10.0.0.1"}],"interface-name":"","mac-address":""}],"egress-subnets":["10.0.0.1/32"],"ingress-addresses":["10.0.0.1"]}\n',
    );
  });

  it("has the old names beside the new ones in YAML", async () => {
    await using lab = await ready();
    expect(await run(lab, "network-get image")).toBe(`bind-addresses:
- addresses:
  - address: 10.0.0.1
    cidr: 10.0.0.0/24
    hostname: ""
    value: 10.0.0.1
  interface-name: ""
  interfacename: ""
  mac-address: ""
  macaddress: ""
egress-subnets:
- 10.0.0.1/32
ingress-addresses:
- 10.0.0.1
`);
  });

  it("takes a relation, which it must know", async () => {
    await using lab = await ready();
    expect(await run(lab, "network-get replicas -r replicas:0 --bind-address")).toBe("10.0.0.1\n");
    expect(await run(lab, "network-get replicas -r 9")).toBe(
      'ERROR invalid value "9" for option -r: relation not found\n',
    );
  });
});

describe("goal-state", () => {
  it("names the units with their status, and the applications and units at each endpoint", async () => {
    await using lab = await ready();
    await lab.juju.addUnits("app", 1);
    const endpoints = { image: { interface: "image", role: "requires" } } as const;
    lab.juju.addScriptedApplication("runner", { endpoints, units: 1 });
    await lab.juju.relate("app:image", "runner:image");
    await lab.juju.settle();
    await run(lab, "status-set active");
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
    const goal = JSON.parse(await run(lab, "goal-state --format=json")) as unknown;
    expect(goal).toEqual({
      units: { "app/0": { status: "active", since }, "app/1": { status: "unknown", since } },
      relations: {
        image: { runner: { status: "joined", since }, "runner/0": { status: "waiting", since } },
      },
    });
    expect(await run(lab, "goal-state")).toMatch(/^relations:\n  image:\n    runner:\n      since: /);
    expect(await run(lab, "goal-state --format=smart")).toBe(
      'ERROR invalid value "smart" for option --format: unknown format "smart"\n',
    );
  });
});

describe("credential-get", () => {
  it("is denied until the application is trusted, of which config-changed tells", async () => {
    await using lab = await ready();
    expect(await run(lab, "credential-get")).toBe(
      "ERROR cannot access cloud credentials: permission denied\n",
    );
    const before = lab.ran("app/0").length;
    lab.juju.trust("app");
    lab.juju.trust("app");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual(["config-changed"]);
    expect(JSON.parse(await run(lab, "credential-get --format=json"))).toMatchObject({
      type: "openstack",
      region: "RegionOne",
      credential: { "auth-type": "userpass", attrs: { username: "juju" } },
    });
    lab.juju.trust("app", { trusted: false });
    await lab.juju.settle();
    expect(await run(lab, "credential-get")).toContain("permission denied");
  });
});

describe("resource-get", () => {
  it("prints the path of a copy without a line break; a new file fires upgrade-charm", async () => {
    await using lab = await ready();
    expect(await run(lab, "resource-get tool")).toBe(
      'ERROR could not download resource: resource "app/tool" not found\n',
    );
    const file = join(lab.directory, "upload");
    await writeFile(file, "one");
    const before = lab.ran("app/0").length;
    lab.juju.attachResource("app", "tool", file);
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual(["upgrade-charm", "config-changed"]);
    const path = await run(lab, "resource-get tool");
    expect(path).toMatch(/\/unit-app-0\/resources\/tool\/tool\.tar$/);
    expect(await run(lab, "cat $(resource-get tool)")).toBe("one");
    await writeFile(file, "two");
    expect(await run(lab, "cat $(resource-get tool)")).toBe("two");
    expect(() => lab.juju.attachResource("app", "nope", file)).toThrow("declares no such resource");
  });
});
