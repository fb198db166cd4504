import { describe, expect, it } from "vitest";
import { playground } from "../../support/charms/shell-charm.ts";

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
