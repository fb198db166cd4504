import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGate, playground, until, type Playground } from "../../support/charms/shell-charm.ts";

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

describe("an action", () => {
  const ACTIONS = {
    go: {
      params: {
        size: { type: "integer", default: 4, minimum: 1 },
        kind: { type: "string", enum: ["a", "b"] },
      },
      required: ["kind"],
      additionalProperties: false,
    },
    loose: {},
  };

  it("gives what it set, its output and exit code, with defaults filled in", async () => {
    await using lab = await playground();
    const hooks = {
      go: `action-get --format=json; action-get size; echo oops >&2; action-set a.b=1 a.c=2; action-log "half way"; relation-ids x`,
    };
    await lab.juju.deploy("app", { charm: await lab.charm({ actions: ACTIONS, hooks }) });
    await lab.juju.settle();
    expect(await lab.juju.runAction("app/0", "go", { kind: "a" })).toEqual({
      status: "completed",
      message: "",
      results: {
        a: { b: "1", c: "2" },
        "return-code": 0,
        stdout: '{"kind":"a","size":4}\n4\n',
        stderr: "oops\n",
      },
      log: ["half way"],
    });
  });

  it("fails with the exit code, discards its writes and keeps its results; the unit stays well", async () => {
    await using lab = await playground();
    const hooks = { loose: "action-set done=no; state-set a=1; exit 3" };
    await lab.juju.deploy("app", { charm: await lab.charm({ actions: ACTIONS, hooks }) });
    await lab.juju.settle();
    expect(await lab.juju.runAction("app/0", "loose")).toMatchObject({
      status: "failed",
      message: "exit status 3",
      results: { done: "no", "return-code": 3 },
    });
    expect(lab.juju.status().applications["app"]?.units["app/0"]).toMatchObject({
      state: {},
      agent: { status: "idle" },
    });
  });

  it("that calls action-fail fails with its message and still commits", async () => {
    await using lab = await playground();
    const hooks = { loose: `state-set a=1; action-fail "no luck"` };
    await lab.juju.deploy("app", { charm: await lab.charm({ actions: ACTIONS, hooks }) });
    await lab.juju.settle();
    expect(await lab.juju.runAction("app/0", "loose")).toMatchObject({
      status: "failed",
      message: "no luck",
    });
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.state).toEqual({ a: "1" });
  });

  it("with parameters that don't fit never runs; extra ones fit on Juju 3 and not on 4 by default", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({ actions: ACTIONS }) });
    await lab.juju.settle();
    const journalled = lab.juju.journal().length;
    for (const parameters of [
      {},
      { kind: "c" },
      { kind: "a", size: 0 },
      { kind: "a", size: "4" },
      { kind: "a", x: 1 },
    ]) {
      expect((await lab.juju.runAction("app/0", "go", parameters)).status).toBe("error");
    }
    expect(lab.juju.journal()).toHaveLength(journalled);
    expect((await lab.juju.runAction("app/0", "loose", { x: 1 })).status).toBe("completed");
    await using four = await playground({ version: "4.0.0" });
    await four.juju.deploy("app", { charm: await four.charm({ actions: ACTIONS }) });
    expect((await four.juju.runAction("app/0", "loose", { x: 1 })).status).toBe("error");
  });

  it.each([
    ["action-set stdout=x", 'cannot set reserved action key "stdout"'],
    ["action-set A=x", 'key "A" must start and end with lowercase alphanumeric'],
  ])("refuses %s", async (command, message) => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({ actions: ACTIONS, hooks: { loose: command } }) });
    const { results } = await lab.juju.runAction("app/0", "loose");
    expect(results["return-code"]).toBe(2);
    expect(results["stderr"]).toContain(message);
  });
});
