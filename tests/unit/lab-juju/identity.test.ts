import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exec } from "../../../src/base/exec.ts";
import { playground } from "../../support/charms/shell-charm.ts";

describe("a context id", () => {
  it("is new for each dispatch and names unit and hook", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    const ids = lab.juju.journal().map(({ contextId }) => contextId);
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toMatch(/^app\/0-install-[0-9a-f]{32}$/);
    expect((await lab.juju.exec("app/0", "echo $JUJU_CONTEXT_ID")).stdout).toMatch(
      /^app\/0-run-commands-[0-9a-f]{32}\n$/,
    );
    const { results } = await lab.juju.clientExec("app/0", "echo $JUJU_CONTEXT_ID");
    expect(results["stdout"]).toMatch(/^app\/0-juju-exec-[0-9a-f]{32}\n$/);
  });

  it("of an earlier hook is refused, while another runs and when none runs", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      hooks: { start: "echo $JUJU_CONTEXT_ID > id; which config-get > tool" },
    });
    await lab.juju.deploy("app", { charm });
    await lab.juju.settle();
    const { exit, stderr } = await lab.juju.exec("app/0", "JUJU_CONTEXT_ID=$(cat id) config-get");
    expect(exit).toBe(1);
    expect(stderr).toMatch(
      /^ERROR bad request: expected context id "app\/0-run-commands-[0-9a-f]{32}", got "app\/0-start-[0-9a-f]{32}"\n$/,
    );
    const directory = lab.juju.charmDirectory("app/0");
    const [id = "", tool = ""] = await Promise.all(
      ["id", "tool"].map(async (name) => (await readFile(join(directory, name), "utf8")).trim()),
    );
    const socket = join(directory, "../agent.socket");
    const env = { JUJU_CONTEXT_ID: id, JUJU_AGENT_SOCKET_ADDRESS: socket };
    expect(await exec(tool, [], { env, signal: AbortSignal.timeout(20_000) })).toEqual({
      code: 1,
      stdout: "",
      stderr: `ERROR dial unix ${socket}: connect: connection refused\n`,
    });
  });

  it("decides on the relation and the remote unit, whatever the caller's variables say", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      metadata: { provides: { image: { interface: "image" } } },
      hooks: {
        "image-relation-changed": `juju-log "got [$(JUJU_RELATION_ID=image:7 JUJU_REMOTE_UNIT=remote/1 relation-get a)]"`,
      },
    });
    await lab.juju.deploy("app", { charm });
    const endpoints = { image: { interface: "image", role: "requires" } } as const;
    lab.juju.addScriptedApplication("remote", { endpoints, units: 2 });
    const relation = await lab.juju.relate("app:image", "remote:image");
    lab.juju.setUnitData(relation, "remote/0", { a: "zero" });
    lab.juju.setUnitData(relation, "remote/1", { a: "one" });
    await lab.juju.settle();
    const got = lab.juju.logs().flatMap(({ message }) => /got \[(.*)\]/.exec(message)?.[1] ?? []);
    expect(got).toEqual(["zero", "one"]);
  });
});
