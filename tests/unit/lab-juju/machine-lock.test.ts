import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGate, playground, until, type Playground } from "../../support/charms/shell-charm.ts";

/** A script that says `<name> on`, waits until `gate` is opened, and says `<name> off`. */
const waits = (name: string, gate: string): string =>
  `juju-log "${name} on"; [ -p ${gate} ] || mkfifo ${gate}; cat ${gate}; rm ${gate}; juju-log "${name} off"`;

const messages = (lab: Playground): readonly string[] => lab.juju.logs().map(({ message }) => message);

describe("the machine lock", () => {
  it("lets one unit of a machine run at a time, in a hook or in juju-exec", async () => {
    await using lab = await playground();
    const charm = await lab.charm({ hooks: { "update-status": waits("hook", "gate") } });
    await lab.juju.deploy("app", { charm, units: 2, machine: "0" });
    await lab.juju.settle();
    await lab.juju.updateStatus("app/0");
    await until(() => messages(lab).includes("hook on"));
    const other = lab.juju.exec("app/1", "juju-log other");
    await openGate(join(lab.juju.charmDirectory("app/0"), "gate"));
    await other;
    expect(messages(lab).filter((text) => ["hook on", "hook off", "other"].includes(text))).toEqual([
      "hook on",
      "hook off",
      "other",
    ]);
  });

  it("binds no unit of another machine", async () => {
    await using lab = await playground();
    const charm = await lab.charm({ hooks: { "update-status": waits("hook", "gate") } });
    await lab.juju.deploy("app", { charm, units: 2 });
    await lab.juju.settle();
    await lab.juju.updateStatus("app/0");
    await until(() => messages(lab).includes("hook on"));
    await lab.juju.exec("app/1", "juju-log other");
    await openGate(join(lab.juju.charmDirectory("app/0"), "gate"));
    await lab.juju.settle();
    expect(messages(lab).filter((text) => ["hook off", "other"].includes(text))).toEqual([
      "other",
      "hook off",
    ]);
  });
});
