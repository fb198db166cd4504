import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exec, type ExecResult } from "../../../src/base/exec.ts";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

async function call(
  lab: Playground,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<ExecResult> {
  return await exec(lab.juju.execPath, words, { env, signal: AbortSignal.timeout(20_000) });
}

describe("juju-exec", () => {
  it("runs bash in the charm's folder, with tools, without the caller's variables, and passes output and code on", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({ hooks: { run: "juju-log ran-it" } }) });
    await lab.juju.settle();
    const directory = lab.juju.charmDirectory("app/0");
    const script = `pwd; is-leader; echo "\${MINE:-unset} [$JUJU_HOOK_NAME] \${JUJU_DISPATCH_PATH:-unset} $BASH_VERSION" | cut -d. -f1; echo bad >&2; exit 9`;
    expect(await call(lab, ["app/0", script], { MINE: "x" })).toEqual({
      code: 9,
      stdout: `${directory}\nTrue\nunset [] unset 5\n`,
      stderr: "bad\n",
    });
    expect(
      await call(lab, ["unit-app-0", "JUJU_DISPATCH_PATH=run HOME=/home/ubuntu ./dispatch"]),
    ).toMatchObject({ code: 0 });
    expect(lab.juju.logs().at(-1)?.message).toBe("ran-it");
  });

  it("finds the only unit by itself, and quotes several words", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    expect((await call(lab, ["echo", "a b", "$HOME", "it's"])).stdout).toBe("a b $HOME it's\n");
    await lab.juju.addUnits("app", 1);
    await lab.juju.settle();
    expect(await call(lab, ["echo x"])).toMatchObject({ code: 2, stdout: "" });
    expect((await call(lab, ["-u", "app/1", "echo $JUJU_UNIT_NAME"])).stdout).toBe("app/1\n");
  });

  it("gives a relation context with -r, inferring the only remote unit", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", {
      charm: await lab.charm({ metadata: { provides: { image: { interface: "i" } } } }),
    });
    lab.juju.addScriptedApplication("remote", {
      endpoints: { image: { interface: "i", role: "requires" } },
      units: 1,
    });
    const id = await lab.juju.relate("app:image", "remote:image");
    await lab.juju.settle();
    lab.juju.setUnitData(id, "remote/0", { a: "1" });
    await lab.juju.settle();
    const show = `relation-get a; echo "$JUJU_RELATION_ID $JUJU_REMOTE_UNIT [$JUJU_REMOTE_APP]"`;
    expect((await call(lab, ["-r", "image:0", "app/0", show])).stdout).toBe("1\nimage:0 remote/0 []\n");
    lab.juju.addScriptedUnit("remote");
    await lab.juju.settle();
    expect((await call(lab, ["--relation=0", "app/0", show])).stderr).toBe(
      "ERROR unable to determine remote-unit, please disambiguate: [remote/0 remote/1]\n",
    );
    expect(
      (await call(lab, ["-r0", "--remote-unit", "remote/1", "app/0", "relation-get ingress-address"])).stdout,
    ).toBe("10.0.0.3\n");
    expect((await call(lab, ["-r", "5", "app/0", "true"])).stderr).toBe(
      "ERROR unable to find relation id: 5\n",
    );
  });

  it("refuses to run inside a hook", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    const { stderr, exit } = await lab.juju.exec("app/0", `${lab.juju.execPath} app/0 true`);
    expect(exit).toBe(1);
    expect(stderr).toMatch(
      /^ERROR juju-exec cannot be called from within a hook, have context "app\/0-run-commands-/,
    );
  });

  it("fails when the agent is down, and lies at a second place when asked", async () => {
    await using lab = await playground();
    await using other = await playground({ installExecAt: join(lab.directory, "root/usr/bin/juju-exec") });
    await other.juju.deploy("app", { charm: await other.charm({}) });
    await other.juju.settle();
    const run = async (): Promise<ExecResult> =>
      exec(join(lab.directory, "root/usr/bin/juju-exec"), ["app/0", "unit-get private-address"], {
        env: {},
        signal: AbortSignal.timeout(20_000),
      });
    expect(await run()).toEqual({ code: 0, stdout: "10.0.0.1\n", stderr: "" });
    await other.juju[Symbol.asyncDispose]();
    expect(await run()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("dialing juju run socket"),
    });
  });

  it("finds no unit any more after its removal", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    await lab.juju.removeUnit("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["stop", "remove"]);
    expect(await call(lab, ["app/0", "true"])).toMatchObject({ code: 1, stdout: "" });
  });

  it("takes Juju's flags, and drops a remote application; refuses others with exit code 2", async () => {
    await using lab = await playground();
    const charm = await lab.charm({ metadata: { provides: { image: { interface: "i" } } } });
    await lab.juju.deploy("app", { charm });
    const endpoints = { image: { interface: "i", role: "requires" } } as const;
    lab.juju.addScriptedApplication("remote", { endpoints, units: 1 });
    await lab.juju.relate("app:image", "remote:image");
    await lab.juju.settle();
    const show = `echo "[$JUJU_REMOTE_UNIT] [$JUJU_REMOTE_APP]"`;
    const flags = ["--operator=false", "-r", "0", "--remote-app", "remote"];
    expect((await call(lab, [...flags, "app/0", show])).stdout).toBe("[remote/0] []\n");
    expect((await call(lab, ["-r0", "--remote-unit=remote/7", "app/0", show])).stderr).toBe(
      "ERROR remote unit not found: remote/7, override to execute commands\n",
    );
    const forced = ["--force-remote-unit", "-r0", "--remote-unit=remote/7"];
    expect((await call(lab, [...forced, "app/0", show])).stdout).toBe("[remote/7] []\n");
    expect(await call(lab, ["--remote-unit", "remote/0", "app/0", show])).toMatchObject({
      code: 1,
      stderr: "ERROR remote unit: remote/0, provided without a relation\n",
    });
    expect(await call(lab, ["app/0"])).toMatchObject({ code: 2, stderr: "ERROR missing commands\n" });
    expect(await call(lab, ["--nope", "app/0", "true"])).toMatchObject({
      code: 2,
      stderr: "ERROR option provided but not defined: --nope\n",
    });
  });

  it("has no tools with --no-context", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    const { stdout } = await call(lab, [
      "--no-context",
      `command -v is-leader || echo "none [\${JUJU_CONTEXT_ID:-}]"`,
    ]);
    expect(stdout).toBe("none []\n");
  });
});

describe("a fault in a hook command", () => {
  it("answers in its place for the call asked for, and is in the journal", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    const remove = lab.juju.injectFault({
      command: "is-leader",
      nth: 2,
      exit: 1,
      stderr: "ERROR connection is shut down\n",
    });
    const { stdout, stderr } = await lab.juju.exec("app/0", "is-leader; is-leader; is-leader");
    expect({ stdout, stderr }).toEqual({ stdout: "True\nTrue\n", stderr: "ERROR connection is shut down\n" });
    expect(
      lab.juju
        .journal()
        .slice(-3)
        .map(({ exit }) => exit),
    ).toEqual([0, 1, 0]);
    remove();
  });

  it("may delay or hang; the hang ends with the process", async () => {
    await using lab = await playground();
    await lab.juju.deploy("app", { charm: await lab.charm({}) });
    await lab.juju.settle();
    lab.juju.injectFault({ command: "is-leader", delayMs: 120 });
    lab.juju.injectFault({ command: "config-get", unit: "app/0", hang: true });
    const before = performance.now();
    expect((await lab.juju.exec("app/0", "is-leader")).stdout).toBe("True\n");
    expect(performance.now() - before).toBeGreaterThanOrEqual(119);
    const { exit } = await lab.juju.exec("app/0", "timeout -s KILL 2 config-get");
    expect(exit).toBe(137);
    expect(lab.juju.journal().at(-1)).toMatchObject({ command: "config-get", exit: undefined });
  });
});
