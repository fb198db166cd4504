import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { playground } from "../../support/charms/shell-charm.ts";

describe("a charm's process", () => {
  it("gets an environment built from nothing, no arguments, the charm's folder and an empty input", async () => {
    await using lab = await playground({ extraEnvironment: { CHARM_ROOT: "/tmp/x", JUJU_UNIT_NAME: "no" } });
    const charm = await lab.charm({
      hooks: {
        start: `env > "$JUJU_CHARM_DIR/env.out"; pwd > pwd.out; echo "$#" > args.out; cat > stdin.out; juju-log "$(cat env.out)"; juju-log "pwd $(pwd) args $# input $(wc -c < stdin.out)"`,
      },
    });
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    const logged = lab.juju.logs().map((record) => record.message);
    const variables = logged.find((text) => text.includes("JUJU_HOOK_NAME=start"))?.split("\n") ?? [];
    const names = variables
      .map((line) => line.replace(/=.*/, ""))
      .filter((name) => !name.startsWith("JUJU_"));
    expect(names.toSorted()).toEqual([
      "APT_LISTCHANGES_FRONTEND",
      "CHARM_DIR",
      "CHARM_ROOT",
      "CLOUD_API_VERSION",
      "DEBIAN_FRONTEND",
      "LANG",
      "PATH",
      "PWD",
      "TERM",
    ]);
    expect(variables).toContain("JUJU_UNIT_NAME=app/0");
    expect(variables).toContain("JUJU_DISPATCH_PATH=hooks/start");
    expect(logged).toContain(`pwd ${lab.juju.charmDirectory("app/0")} args 0 input 0`);
  });

  it("has its output logged by line, at DEBUG and WARNING, cut at 4096 bytes", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      hooks: { start: `head -c 5000 /dev/zero | tr '\\0' x; echo; echo bad >&2` },
    });
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    const records = lab.juju.logs().filter((record) => record.module === "unit.app/0.start");
    expect(
      records.filter((record) => record.level === "DEBUG").map((record) => record.message.length),
    ).toEqual([4096, 904]);
    expect(records.filter((record) => record.level === "WARNING").map((record) => record.message)).toEqual([
      "bad",
    ]);
  });

  it("is over 100 ms after its exit even when a background child holds its pipes", async () => {
    await using lab = await playground();
    const charm = await lab.charm({ hooks: { install: `sleep 30 & echo $! > child.pid` } });
    await lab.juju.deploy("app", { charm });
    const before = Date.now();
    await lab.juju.settle();
    expect(Date.now() - before).toBeLessThan(10_000);
    const { exit } = await lab.juju.exec("app/0", `kill "$(cat child.pid)"`);
    expect(exit).toBe(0);
  });

  it("is an error when dispatch is not executable, a silent success when there is none", async () => {
    await using lab = await playground();
    const charm = await lab.charm({});
    await chmod(join(charm, "dispatch"), 0o644);
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.agent).toMatchObject({
      status: "error",
      message: 'hook failed: "install"',
    });
    await rm(join(lab.juju.charmDirectory("app/0"), "dispatch"));
    await lab.juju.resolve("app/0");
    await lab.juju.settle();
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.agent.status).toBe("idle");
  });

  it("needs metadata.yaml on disk", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    await rm(join(lab.juju.charmDirectory("app/0"), "metadata.yaml"));
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.juju.logs().at(-1)?.message).toContain("charm missing from disk");
  });

  it("gets metadata.yaml, config.yaml and actions.yaml made from a unified charmcraft.yaml", async () => {
    await using lab = await playground();
    const charm = await lab.charm({});
    await rm(join(charm, "metadata.yaml"));
    await writeFile(
      join(charm, "charmcraft.yaml"),
      "type: charm\nname: u\nsummary: s\ndescription: d\nconfig: {options: {size: {type: int, default: 3}}}\nactions: {go: {params: {}}}\n",
    );
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    const { stdout } = await lab.juju.exec(
      "app/0",
      "config-get --format=json; ls; grep -c type metadata.yaml",
    );
    expect(stdout).toBe(
      '{"size":3}\nactions.yaml\ncharmcraft.yaml\nconfig.yaml\ndispatch\nmanifest.yaml\nmetadata.yaml\n0\n',
    );
  });

  it("is refused by Juju 4 when neither manifest nor charmcraft.yaml names bases", async () => {
    await using lab = await playground({ version: "4.0.0" });
    const charm = await lab.charm({});
    await rm(join(charm, "manifest.yaml"));
    await expect(lab.juju.deploy("app", { charm })).rejects.toThrow(
      "charm metadata without bases in manifest",
    );
  });
});
