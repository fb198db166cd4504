import { describe, expect, it } from "vitest";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const PROVIDER = { metadata: { provides: { image: { interface: "image" } } } };
const WITH_PEERS = { metadata: { ...PROVIDER.metadata, peers: { replicas: { interface: "replicas" } } } };

async function related(always = ""): Promise<Playground> {
  const lab = await playground();
  await lab.juju.deploy("app", { charm: await lab.charm({ ...PROVIDER, always }) });
  lab.juju.addScriptedApplication("remote", {
    endpoints: { image: { interface: "image", role: "requires" } },
    units: 2,
  });
  await lab.juju.relate("app:image", "remote:image");
  await lab.juju.settle();
  return lab;
}

describe("relations", () => {
  it("run joined and at once changed for each unit, then changed with new data", async () => {
    await using lab = await related();
    expect(lab.ran("app/0").slice(-4)).toEqual([
      "image-relation-joined remote/0",
      "image-relation-changed remote/0",
      "image-relation-joined remote/1",
      "image-relation-changed remote/1",
    ]);
    const before = lab.ran("app/0").length;
    lab.juju.setUnitData(0, "remote/1", { a: "1" });
    await lab.juju.settle();
    lab.juju.setUnitData(0, "remote/1", { a: "1" });
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual(["image-relation-changed remote/1"]);
  });

  it("run changed with no remote unit for application data", async () => {
    await using lab = await related(
      `[ -z "\${JUJU_RELATION:-}" ] || juju-log "app=$JUJU_REMOTE_APP unit=[$JUJU_REMOTE_UNIT]"`,
    );
    lab.juju.setApplicationData(0, "remote", { a: "1" });
    await lab.juju.settle();
    expect(
      lab.juju
        .logs()
        .map(({ message }) => message)
        .findLast((text) => text.includes("unit=[")),
    ).toBe("image:0: app=remote unit=[]");
    const { stdout } = await lab.juju.exec("app/0", "relation-get -r 0 --app --format=json - remote");
    expect(stdout).toBe('{"a":"1"}\n');
  });

  it("leave the departing unit out of relation-list, with its data still readable", async () => {
    const always = `[ "\${JUJU_HOOK_NAME}" != image-relation-departed ] ||
      juju-log "departing=$JUJU_DEPARTING_UNIT list=$(relation-list) data=$(relation-get a)"`;
    await using lab = await related(always);
    lab.juju.setUnitData(0, "remote/1", { a: "1" });
    await lab.juju.settle();
    await lab.juju.removeUnit("remote/1");
    await lab.juju.settle();
    expect(lab.juju.logs().map(({ message }) => message)).toContain(
      "image:0: departing=remote/1 list=remote/0 data=1",
    );
  });

  it("end with departed for each unit, then broken, and are gone", async () => {
    await using lab = await related();
    const before = lab.ran("app/0").length;
    await lab.juju.removeRelation(0);
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual([
      "image-relation-departed remote/0",
      "image-relation-departed remote/1",
      "image-relation-broken",
    ]);
    expect(lab.juju.relationIds()).toEqual([]);
  });

  it("tell a unit that it is itself the one that departs", async () => {
    await using lab = await related(
      `[ -z "\${JUJU_DEPARTING_UNIT:-}" ] || juju-log "departing=$JUJU_DEPARTING_UNIT"`,
    );
    const before = lab.ran("app/0").length;
    await lab.juju.removeUnit("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual([
      "image-relation-departed remote/0",
      "image-relation-departed remote/1",
      "image-relation-broken",
      "stop",
      "remove",
    ]);
    expect(lab.juju.logs().map(({ message }) => message)).toContain("image:0: departing=app/0");
    expect(lab.juju.status().applications["app"]?.units).toEqual({});
  });

  it.each([
    ["relation-get -r 0 - remote", 2, 'expected unit name, got application name "remote"'],
    ["relation-get -r 0 - 'x!'", 2, 'invalid unit name "x!"'],
    ["relation-get -r 0", 2, "no unit or application specified"],
    ["relation-set -r 0 a=1 a=2", 2, 'key "a" specified more than once'],
  ])("%s is refused with exit code %i", async (command, exit, message) => {
    await using lab = await related();
    expect(await lab.juju.exec("app/0", command)).toEqual({ exit, stdout: "", stderr: `ERROR ${message}\n` });
  });

  it("let only the leader read and write its application's databag", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm(WITH_PEERS), units: 2 });
    lab.juju.addScriptedApplication("remote", {
      endpoints: { image: { interface: "image", role: "requires" } },
      units: 1,
    });
    await lab.juju.relate("app:image", "remote:image");
    await lab.juju.settle();
    const run = async (unit: string, command: string): Promise<string> => {
      const { stdout, stderr } = await lab.juju.exec(unit, command);
      return stdout + stderr;
    };
    expect(await run("app/1", "relation-set -r 1 --app a=1")).toBe("ERROR cannot write relation settings\n");
    expect(await run("app/1", "relation-get -r 1 --app - app")).toBe("ERROR permission denied\n");
    expect(await run("app/1", "relation-get -r 0 --app --format=json - app")).toBe("{}\n");
    expect(await run("app/0", "relation-set -r 1 --app a=1; relation-get -r 1 --app a app")).toBe("1\n");
    expect(await run("app/1", "relation-list -r 0 --format=json")).toBe('["app/0"]\n');
    expect(await run("app/1", "status-set --application active")).toBe("ERROR this unit is not the leader\n");
    expect(await run("app/1", "relation-get -r 1 - remote/9")).toMatch(/settings not found\n$/);
  });

  it("connect two real charms: the data that one commits fires changed on the other", async () => {
    await using lab = await playground();
    const provider = await lab.charm({
      ...PROVIDER,
      hooks: { "image-relation-joined": "relation-set id=img-1" },
    });
    const requirer = await lab.charm({
      metadata: { requires: { image: { interface: "image" } } },
      hooks: { "image-relation-changed": `juju-log "got [$(relation-get id)]"` },
    });
    await lab.juju.deploy("app", { charm: provider });
    await lab.juju.deploy("runner", { charm: requirer, units: 2 });
    await lab.juju.relate("app:image", "runner:image");
    await lab.juju.settle();
    for (const unit of ["runner/0", "runner/1"]) {
      expect(
        lab.juju.logs().findLast((record) => record.unit === unit && record.message.includes("got"))?.message,
      ).toBe("image:0: got [img-1]");
    }
  });

  it("cannot be written before the unit has entered the scope", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({ ...PROVIDER, hooks: { install: "exit 1" } }) });
    lab.juju.addScriptedApplication("remote", {
      endpoints: { image: { interface: "image", role: "requires" } },
      units: 1,
    });
    await lab.juju.relate("app:image", "remote:image");
    await lab.juju.settle();
    const { stderr } = await lab.juju.exec("app/0", "relation-set -r 0 a=1");
    expect(stderr).toBe('ERROR invalid value "0" for option -r: relation not found\n');
  });
});
