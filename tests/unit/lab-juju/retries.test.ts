import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGate, playground, type Playground } from "../../support/charms/shell-charm.ts";

/** A script that says `<name> on`, waits until `gate` is opened, and says `<name> off`. */
const waits = (name: string, gate: string): string =>
  `juju-log "${name} on"; [ -p ${gate} ] || mkfifo ${gate}; cat ${gate}; rm ${gate}; juju-log "${name} off"`;

const messages = (lab: Playground): readonly string[] => lab.juju.logs().map(({ message }) => message);
const agentOf = (lab: Playground, unit: string): string | undefined =>
  lab.juju.status().applications[unit.replace(/\/.*/, "")]?.units[unit]?.agent.status;

describe("a failed hook", () => {
  it("holds back all others, runs again with the same event, and lets them go", async () => {
    await using lab = await playground();
    const charm = await lab.charm({ hooks: { install: `[ -e "$CHARM_DIR/ok" ] || exit 1` } });
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    expect(lab.ran("app/0")).toEqual(["install"]);
    await lab.juju.setConfig("app", {});
    await lab.juju.resolve("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0")).toEqual(["install", "install"]);
    await writeFile(join(lab.juju.charmDirectory("app/0"), "ok"), "");
    await lab.juju.advance(4_999);
    await lab.juju.settle();
    expect(agentOf(lab, "app/0")).toBe("error");
    await lab.juju.advance(5_001);
    await lab.juju.settle();
    expect(lab.ran("app/0")).toEqual([
      "install",
      "install",
      "install",
      "leader-elected",
      "config-changed",
      "start",
    ]);
  });

  it("has a context of its own for each try, and can be skipped", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({ hooks: { start: "exit 1" } }) });
    await lab.juju.settle();
    await lab.juju.resolve("app/0");
    await lab.juju.settle();
    const contexts = lab.juju
      .journal()
      .filter(({ hook }) => hook === "start")
      .map(({ contextId }) => contextId);
    expect(new Set(contexts).size).toBe(2);
    await lab.juju.resolve("app/0", { retry: false });
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["start", "update-status"]);
  });

  it("stops neither actions nor juju-exec; juju-exec runs even before install, actions not", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      hooks: { install: waits("install", "gate") + "; exit 1" },
      actions: { go: {} },
    });
    await lab.juju.deploy("app", { charm });
    const early = lab.juju.exec("app/0", "juju-log early");
    const action = lab.juju.runAction("app/0", "go");
    expect((await early).exit).toBe(0);
    await openGate(join(lab.juju.charmDirectory("app/0"), "gate"));
    expect((await action).status).toBe("completed");
    await lab.juju.settle();
    const order = messages(lab).filter((text) => ["early", "install on", "ran actions/go "].includes(text));
    expect(order).toEqual(["early", "install on", "ran actions/go "]);
    expect(agentOf(lab, "app/0")).toBe("error");
  });

  it("killed by a signal is queued again and is no error", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", {
      charm: await lab.charm({ hooks: { start: `[ -e once ] || { : > once; kill -TERM $$; }` } }),
    });
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["start", "start"]);
    expect(agentOf(lab, "app/0")).toBe("idle");
  });
});
