import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGate, playground, until } from "../../support/charms/shell-charm.ts";

const WAITS = `[ -e waited ] || { : > waited; mkfifo gate; cat gate; }`;

describe("what is due at the same time", () => {
  it("runs in the resolver's order: secrets, actions, juju-exec, storage, upgrade, config, relations, update-status", async () => {
    await using lab = await playground();
    const metadata = {
      provides: { image: { interface: "image" } },
      storage: { data: { type: "filesystem", multiple: { range: "0-" } } },
    };
    const options = { size: { type: "int", default: 1 } };
    const shape = { metadata, options, actions: { go: {} } };
    const charm = await lab.charm({ ...shape, hooks: { "update-status": WAITS } });
    await lab.juju.deploy("app", { charm });
    const endpoints = { image: { interface: "image", role: "requires" } } as const;
    lab.juju.addScriptedApplication("remote", { endpoints, units: 2 });
    const relation = await lab.juju.relate("app:image", "remote:image");
    const secret = lab.juju.addSecret({ token: "one" });
    lab.juju.grantSecret(secret, "app");
    await lab.juju.settle();
    await lab.juju.exec("app/0", `secret-get ${secret}`);
    await lab.juju.updateStatus("app/0");
    await until(() => lab.ran("app/0").at(-1) === "update-status");
    const before = lab.ran("app/0").length;

    await lab.juju.updateStatus("app/0");
    await lab.juju.removeUnit("remote/1");
    lab.juju.setUnitData(relation, "remote/0", { a: "1" });
    lab.juju.setApplicationData(relation, "remote", { b: "1" });
    lab.juju.addScriptedUnit("remote");
    await lab.juju.setConfig("app", { size: 2 });
    await lab.juju.upgradeCharm("app", await lab.charm(shape));
    lab.juju.addStorage("app/0", "data");
    const exec = lab.juju.exec("app/0", "./dispatch");
    const action = lab.juju.runAction("app/0", "go");
    lab.juju.updateSecret(secret, { token: "two" });
    await openGate(join(lab.juju.charmDirectory("app/0"), "gate"));
    await Promise.all([exec, action]);
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before)).toEqual([
      "secret-changed",
      "go",
      "",
      "data-storage-attached",
      "upgrade-charm",
      "config-changed",
      "image-relation-departed remote/1",
      "image-relation-changed",
      "image-relation-joined remote/2",
      "image-relation-changed remote/2",
      "image-relation-changed remote/0",
      "update-status",
    ]);
  });

  it("is config-changed once after a change of address, and relation-changed at the other end", async () => {
    await using lab = await playground();
    const provider = await lab.charm({ metadata: { provides: { image: { interface: "image" } } } });
    const requirer = await lab.charm({ metadata: { requires: { image: { interface: "image" } } } });
    await lab.juju.deploy("app", { charm: provider });
    await lab.juju.deploy("runner", { charm: requirer });
    const relation = await lab.juju.relate("app:image", "runner:image");
    await lab.juju.settle();
    const before = [lab.ran("app/0").length, lab.ran("runner/0").length];
    lab.juju.setAddress("app/0", "10.9.8.7");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(before[0])).toEqual(["config-changed"]);
    expect(lab.ran("runner/0").slice(before[1])).toEqual(["image-relation-changed app/0"]);
    expect(lab.juju.unitData(relation, "app/0")).toEqual({
      "egress-subnets": "10.9.8.7/32",
      "ingress-address": "10.9.8.7",
      "private-address": "10.9.8.7",
    });
  });
});

describe("an upgrade of the machine's base", () => {
  it("runs its two hooks, and nothing between them", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      hooks: { "pre-series-upgrade": `juju-log "to $JUJU_TARGET_BASE"` },
      always: `[ "\${JUJU_TARGET_BASE-none}" = none ] || [ "$JUJU_HOOK_NAME" = pre-series-upgrade ]`,
    });
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    expect(() => lab.juju.completeSeriesUpgrade("app/0")).toThrow("it is not prepared");
    lab.juju.prepareSeriesUpgrade("app/0", "ubuntu@24.04");
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").at(-1)).toBe("pre-series-upgrade");
    expect(lab.juju.logs().map(({ message }) => message)).toContain("to ubuntu@24.04");
    lab.juju.completeSeriesUpgrade("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["post-series-upgrade", "update-status"]);
  });
});
