import { describe, expect, it } from "vitest";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

async function ready(version = "3.6.9"): Promise<Playground> {
  const lab = await playground({ version });
  await lab.juju.deploy("app", { charm: await lab.charm({}), units: 2 });
  await lab.juju.settle();
  return lab;
}

async function run(lab: Playground, unit: string, command: string): Promise<string> {
  const { stdout, stderr } = await lab.juju.exec(unit, command);
  return stdout + stderr;
}

describe("leader settings", () => {
  it("are the leader's to write, at once, and fire leader-settings-changed on the others", async () => {
    await using lab = await ready();
    const before = lab.ran("app/1").length;
    expect(
      await run(lab, "app/0", "leader-set a=1 b=2; leader-get --format=json; leader-get a; exit 1"),
    ).toBe('{"a":"1","b":"2"}\n1\n');
    await lab.juju.settle();
    expect(lab.ran("app/1").slice(before)).toEqual(["leader-settings-changed"]);
    expect(lab.ran("app/0")).not.toContain("leader-settings-changed");
    expect(await run(lab, "app/1", "leader-get -; leader-get nope --format=json")).toBe(
      'a: "1"\nb: "2"\nnull\n',
    );
    expect(await run(lab, "app/1", "leader-set a=3")).toBe(
      "ERROR cannot write leadership settings: cannot write settings: not the leader\n",
    );
    await run(lab, "app/0", "leader-set a=1; leader-set b=");
    await lab.juju.settle();
    expect(lab.ran("app/1").slice(before)).toEqual(["leader-settings-changed", "leader-settings-changed"]);
    expect(await run(lab, "app/1", "leader-get --format=json")).toBe('{"a":"1"}\n');
  });

  it("written by a hook that fails stay", async () => {
    await using lab = await playground();
    const charm = await lab.charm({ hooks: { "update-status": "leader-set a=1; exit 1" } });
    await lab.juju.deploy("app", { charm });
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(await run(lab, "app/0", "leader-get a")).toBe("1\n");
  });
});

describe("the application's status", () => {
  it("is the gravest of its units' until the leader sets it", async () => {
    await using lab = await ready();
    const shown = (): string => {
      const { status, message } = lab.juju.status().applications["app"]?.status ?? {};
      return `${status} ${message}`;
    };
    await run(lab, "app/0", "status-set active");
    await run(lab, "app/1", "status-set blocked 'no disk'");
    expect(shown()).toBe("blocked no disk");
    expect(await run(lab, "app/0", "status-get --application")).toBe("blocked\n");
    await run(lab, "app/1", "status-set maintenance work");
    expect(shown()).toBe("maintenance work");
    expect(await run(lab, "app/1", "status-set --application active")).toBe(
      "ERROR this unit is not the leader\n",
    );
    expect(await run(lab, "app/1", "status-get --application")).toBe(
      "ERROR finding application status: this unit is not the leader\n",
    );
    await run(lab, "app/0", "status-set --application active ready");
    expect(shown()).toBe("active ready");
    expect(await run(lab, "app/0", "status-get --application --include-data --format=json")).toBe(
      '{"application-status":{"message":"ready","status":"active","status-data":{},"units":{"app/0":{"message":"","status":"active","status-data":{}},"app/1":{"message":"work","status":"maintenance","status-data":{}}}}}\n',
    );
  });

  it("of the unit prints as one word, or as an object in the other formats", async () => {
    await using lab = await ready();
    await run(lab, "app/0", "status-set waiting x");
    expect(await run(lab, "app/0", "status-get; status-get --format=json; status-get --include-data")).toBe(
      'waiting\n{"status":"waiting"}\nmessage: x\nstatus: waiting\nstatus-data: {}\n',
    );
  });
});
