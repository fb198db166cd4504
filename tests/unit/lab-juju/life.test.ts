import { describe, expect, it } from "vitest";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const messages = (lab: Playground): readonly string[] => lab.juju.logs().map(({ message }) => message);

describe("the life of a unit", () => {
  it("has config-changed only for a change, and after upgrade-charm", async () => {
    await using lab = await playground();
    const options = { size: { type: "int", default: 1 } };
    await lab.juju.deploy("app", { charm: await lab.charm({ options }) });
    await lab.juju.settle();
    const before = lab.ran("app/0").length;
    await lab.juju.setConfig("app", { size: 1 });
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual([]);
    await lab.juju.setConfig("app", { size: 2 });
    await lab.juju.settle();
    await lab.juju.upgradeCharm("app", await lab.charm({ options, always: "juju-log new" }));
    await lab.juju.settle();
    await lab.juju.resetConfig("app", ["size"]);
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual([
      "config-changed",
      "upgrade-charm",
      "config-changed",
      "config-changed",
    ]);
    expect(messages(lab)).toContain("new");
    await expect(lab.juju.setConfig("app", { size: "x" })).rejects.toThrow('option "size" expected int');
    await expect(lab.juju.setConfig("app", { nope: 1 })).rejects.toThrow('unknown option "nope"');
  });

  it("has leader-elected for a new leader, and leader-settings-changed for the others until Juju 3", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}), units: 2 });
    await lab.juju.settle();
    expect(lab.ran("app/1")).toContain("leader-settings-changed");
    lab.juju.setLeader("app/1");
    await lab.juju.settle();
    expect(lab.ran("app/1").at(-1)).toBe("leader-elected");
    expect((await lab.juju.exec("app/0", "is-leader")).stdout).toBe("False\n");
  });

  it("has start again after a reboot; juju-reboot --now kills the hook and runs it again", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      hooks: { "update-status": `[ -e once ] || { : > once; juju-reboot --now; sleep 60; }` },
    });
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    const before = lab.ran("app/0").length;
    await lab.juju.reboot("app/0");
    await lab.juju.settle();
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual(["start", "update-status", "start", "update-status"]);
  });

  it("has update-status every five minutes, after everything else", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.advance(300_000);
    await lab.juju.settle();
    expect(lab.ran("app/0").at(-1)).toBe("update-status");
  });
});
