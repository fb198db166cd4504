import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGate, playground, until } from "../../support/charms/shell-charm.ts";

const OLD = {
  options: { size: { type: "int", default: 1 } },
  hooks: {
    "update-status": `mkfifo gate; cat gate; juju-log "size=$(config-get size) depth=[$(config-get depth)] $(cat words)"`,
  },
};
const NEW = {
  options: { size: { type: "int", default: 1 }, depth: { type: "int", default: 7 } },
  hooks: {
    "upgrade-charm": `juju-log "depth=$(config-get depth) words=$(ls words 2>&1 | head -c5)"; ls state`,
  },
};

describe("a refresh in the middle of a hook", () => {
  it("leaves that hook its files and options, then brings the new ones with upgrade-charm", async () => {
    await using lab = await playground();
    const charm = await lab.charm(OLD);
    await writeFile(join(charm, "words"), "old");
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    await lab.juju.exec("app/0", ": > state");
    const directory = lab.juju.charmDirectory("app/0");
    await lab.juju.updateStatus("app/0");
    await until(() => lab.ran("app/0").at(-1) === "update-status");
    await lab.juju.upgradeCharm("app", await lab.charm(NEW));
    await openGate(join(directory, "gate"));
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-3)).toEqual(["update-status", "upgrade-charm", "config-changed"]);
    const messages = lab.juju.logs().map(({ message }) => message);
    expect(messages).toContain("size=1 depth=[] old");
    // a file that the new revision lacks is gone, one that the charm made stays
    expect(messages).toContain("depth=7 words=ls: c");
    expect((await lab.juju.exec("app/0", "ls state")).exit).toBe(0);
  });

  it("that has begun before install brings upgrade-charm after start's predecessors, once", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", {
      charm: await lab.charm({ hooks: { install: "mkfifo gate; cat gate" } }),
    });
    await until(() => lab.ran("app/0").at(-1) === "install");
    await lab.juju.upgradeCharm("app", await lab.charm({}));
    await openGate(join(lab.juju.charmDirectory("app/0"), "gate"));
    await lab.juju.settle();
    expect(lab.ran("app/0")).toEqual([
      "install",
      "leader-elected",
      "upgrade-charm",
      "config-changed",
      "start",
    ]);
  });
});

describe("a refresh of a unit in error", () => {
  const broken = { hooks: { "config-changed": "exit 1" } };

  it("waits for its recovery", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm(broken) });
    await lab.juju.settle();
    await lab.juju.upgradeCharm("app", await lab.charm({}));
    await lab.juju.resolve("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["config-changed", "config-changed"]);
    await lab.juju.resolve("app/0", { retry: false });
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-3)).toEqual(["upgrade-charm", "config-changed", "start"]);
  });

  it("mends it at once when forced", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm(broken) });
    await lab.juju.settle();
    await lab.juju.upgradeCharm("app", await lab.charm({}), { forceUnits: true });
    await lab.juju.resolve("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-4)).toEqual([
      "config-changed",
      "upgrade-charm",
      "config-changed",
      "start",
    ]);
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.agent.status).toBe("idle");
  });
});
