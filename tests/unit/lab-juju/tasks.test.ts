import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGate, playground, until, type Playground } from "../../support/charms/shell-charm.ts";

/** An action's script that says `<unit> on`, waits for its gate, and says `<unit> off`. */
const WAITS = `juju-log "on"; mkfifo gate; cat gate; rm gate; juju-log "off"`;

const said = (lab: Playground): readonly string[] =>
  lab.juju
    .logs()
    .filter(({ message }) => message === "on" || message === "off")
    .map(({ unit, message }) => `${unit} ${message}`);

async function twoUnits(action: Readonly<Record<string, unknown>>): Promise<Playground> {
  const lab = await playground();
  const charm = await lab.charm({ actions: { go: action, other: {} }, hooks: { go: WAITS } });
  await lab.juju.deploy("app", { charm, units: 2, machine: "0" });
  await lab.juju.settle();
  return lab;
}

const open = async (lab: Playground, unit: string): Promise<void> =>
  openGate(join(lab.juju.charmDirectory(unit), "gate"));

describe("actions on one machine", () => {
  it("wait for each other's machine lock", async () => {
    await using lab = await twoUnits({});
    const runs = ["app/0", "app/1"].map(async (unit) => lab.juju.runAction(unit, "go"));
    await until(() => said(lab).length === 1);
    await open(lab, "app/0");
    await open(lab, "app/1");
    await Promise.all(runs);
    expect(said(lab)).toEqual(["app/0 on", "app/0 off", "app/1 on", "app/1 off"]);
  });

  it("that are parallel run beside each other and beside hooks", async () => {
    await using lab = await twoUnits({ parallel: true });
    const runs = ["app/0", "app/1"].map(async (unit) => lab.juju.runAction(unit, "go"));
    await until(() => said(lab).length === 2);
    await open(lab, "app/0");
    await runs[0];
    await lab.juju.updateStatus("app/0");
    await until(() => lab.ran("app/0").at(-1) === "update-status");
    expect(said(lab)).toEqual(["app/0 on", "app/1 on", "app/0 off"]);
    await open(lab, "app/1");
    await Promise.all(runs);
  });

  it("of one execution group wait for each other, and for nobody else", async () => {
    await using lab = await twoUnits({ parallel: true, "execution-group": "heavy" });
    await lab.juju.addUnits("app", 1, "0");
    await lab.juju.settle();
    const runs = ["app/0", "app/1"].map(async (unit) => lab.juju.runAction(unit, "go"));
    await until(() => said(lab).length === 1);
    await lab.juju.exec("app/2", "true");
    const light = { parallel: true, executionGroup: "light" };
    expect((await lab.juju.clientExec("app/2", "true", light)).status).toBe("completed");
    expect(said(lab)).toEqual(["app/0 on"]);
    await open(lab, "app/0");
    await open(lab, "app/1");
    await Promise.all(runs);
    expect(said(lab)).toEqual(["app/0 on", "app/0 off", "app/1 on", "app/1 off"]);
  });
});

describe("a cancelled action", () => {
  it("that runs is killed and aborted, and writes nothing", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      actions: { go: {} },
      hooks: { go: "state-set a=1; action-set b=2; juju-log on; sleep 60" },
    });
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    const { id, outcome } = lab.juju.startAction("app/0", "go");
    await until(() => said(lab).length === 1);
    lab.juju.cancelAction(id);
    expect(await outcome).toMatchObject({ status: "aborted", message: "aborted", results: { b: "2" } });
    await lab.juju.settle();
    expect(lab.juju.status().applications["app"]?.units["app/0"]).toMatchObject({
      state: {},
      agent: { status: "idle" },
    });
    expect(() => lab.juju.cancelAction(id)).toThrow("neither queued nor running");
  });

  it("that waits never runs", async () => {
    await using lab = await twoUnits({});
    const first = lab.juju.runAction("app/0", "go");
    await until(() => said(lab).length === 1);
    const { id, outcome } = lab.juju.startAction("app/0", "other");
    lab.juju.cancelAction(id);
    expect(await outcome).toEqual({
      status: "cancelled",
      message: "action cancelled via the API",
      results: {},
      log: [],
    });
    await open(lab, "app/0");
    expect((await first).status).toBe("completed");
    expect(lab.ran("app/0")).not.toContain("other");
  });
});

describe("the client's juju exec", () => {
  it("is an action called juju-exec without a dispatch path, and commits whatever the exit code", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    const outcome = await lab.juju.clientExec(
      "app/0",
      `echo "$JUJU_ACTION_NAME $JUJU_ACTION_TAG [$JUJU_HOOK_NAME] \${JUJU_DISPATCH_PATH-none}"; action-set a=1; state-set k=v; exit 3`,
    );
    expect(outcome).toEqual({
      status: "completed",
      message: "",
      results: { a: "1", "return-code": 3, stdout: "juju-exec action-1 [] none\n" },
      log: [],
    });
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.state).toEqual({ k: "v" });
  });

  it("is killed at its timeout and writes nothing then", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    expect(await lab.juju.clientExec("app/0", "state-set k=v; sleep 60", { timeoutMs: 300 })).toMatchObject({
      status: "failed",
      message: "command cancelled",
    });
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.state).toEqual({});
  });
});
