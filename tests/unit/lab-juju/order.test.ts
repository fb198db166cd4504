import { describe, expect, it } from "vitest";
import { playground } from "../../support/charms/shell-charm.ts";

const PROVIDER = { metadata: { provides: { image: { interface: "image" } } } };

describe("order of hooks", () => {
  it("runs install, created, leader-elected, config-changed, start, then joined and changed", async () => {
    await using lab = await playground();
    await lab.juju.deploy("builder", { charm: await lab.charm(PROVIDER) });
    lab.juju.addScriptedApplication("runner", {
      endpoints: { image: { interface: "image", role: "requires" } },
      units: 1,
    });
    await lab.juju.relate("builder:image", "runner:image");
    await lab.juju.settle();
    expect(lab.ran("builder/0")).toEqual([
      "install",
      "image-relation-created",
      "leader-elected",
      "config-changed",
      "start",
      "image-relation-joined runner/0",
      "image-relation-changed runner/0",
    ]);
    expect(lab.juju.status().applications["builder"]?.units["builder/0"]?.workload.status).toBe("unknown");
  });
});
