import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { exec } from "../../../src/base/exec.ts";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const NAMES = ["leader-get", "leader-set", "secret-get", "secret-add", "relation-model-get", "state-get"];

async function ready(version: string): Promise<Playground> {
  const lab = await playground({ version });
  await lab.juju.deploy("app", { charm: await lab.charm({ actions: { go: {} } }), units: 2 });
  await lab.juju.settle();
  return lab;
}

/** What a version has, as one object to compare. */
async function profile(version: string): Promise<unknown> {
  await using lab = await ready(version);
  const run = async (command: string): Promise<string> =>
    (await lab.juju.exec("app/0", command)).stdout.trim();
  const found = await run(NAMES.map((name) => `command -v ${name} || true`).join("\n"));
  const ran = lab.ran("app/1");
  return {
    commands: NAMES.filter((name) => found.includes(`/${name}`)),
    exec: basename(lab.juju.execPath),
    version: await run("echo $JUJU_VERSION"),
    meter: await run('echo "${JUJU_METER_STATUS-none}"'),
    emptyState: await run("state-get --format=json"),
    settingsHook: ran.includes("leader-settings-changed"),
    extraParameter: (await lab.juju.runAction("app/0", "go", { x: 1 })).status,
  };
}

describe("a version profile", () => {
  it.each([
    ["2.9.50", ["leader-get", "leader-set", "state-get"], "juju-run", true],
    ["3.1.6", ["leader-get", "leader-set", "secret-get", "secret-add", "state-get"], "juju-exec", true],
    ["3.6.1", ["leader-get", "leader-set", "secret-get", "secret-add", "state-get"], "juju-exec", true],
    ["3.6.9", NAMES, "juju-exec", true],
    ["4.0-beta1", ["secret-get", "secret-add", "relation-model-get", "state-get"], "juju-exec", false],
  ] as const)(
    "of Juju %s has its commands, hooks, variables and defaults",
    async (version, commands, exec, leads) => {
      expect(await profile(version)).toEqual({
        commands,
        exec,
        version,
        meter: leads ? "AMBER" : "none",
        emptyState: "null",
        settingsHook: leads,
        extraParameter: leads ? "completed" : "error",
      });
    },
  );

  it.each(["2.9.50", "3.1.6"])("of Juju %s has neither user secrets nor secret options", async (version) => {
    await using lab = await playground({ version });
    const charm = await lab.charm({ options: { password: { type: "secret" } } });
    await expect(lab.juju.deploy("app", { charm })).rejects.toThrow('unknown type "secret"');
    expect(() => lab.juju.addSecret({ password: "x" })).toThrow("has none");
  });

  it.each(["3.3.0", "4.0.0"])("of Juju %s has user secrets and secret options", async (version) => {
    await using lab = await playground({ version });
    const charm = await lab.charm({ options: { password: { type: "secret" } } });
    await lab.juju.deploy("app", { charm, config: { password: lab.juju.addSecret({ password: "x" }) } });
    await lab.juju.settle();
    expect((await lab.juju.exec("app/0", "config-get password")).stdout).toMatch(/^secret:/);
  });

  it("of Juju 2.9 names juju-run in its errors", async () => {
    await using lab = await ready("2.9.50");
    expect((await lab.juju.exec("app/0", `${lab.juju.execPath} app/0 true`)).stderr).toMatch(
      /^ERROR juju-run cannot be called from within a hook, have context "/,
    );
    const signal = AbortSignal.timeout(20_000);
    expect(await exec(lab.juju.execPath, ["app/0", "is-leader"], { env: {}, signal })).toMatchObject({
      code: 0,
      stdout: "True\n",
    });
  });

  it("of Juju 4 has no series upgrade", async () => {
    await using lab = await ready("4.0.0");
    expect(() => lab.juju.prepareSeriesUpgrade("app/0", "ubuntu@24.04")).toThrow("has no such hooks");
  });
});
