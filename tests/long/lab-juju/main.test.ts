import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exec, type ExecResult } from "../../../src/base/exec.ts";
import { playground } from "../../support/charms/shell-charm.ts";

const MAIN = join(import.meta.dirname, "../../../lab/juju/main.ts");

describe("the stand-alone fake Juju", () => {
  it("keeps a model between commands, until it is stopped", { timeout: 60_000 }, async () => {
    await using lab = await playground();
    const call = async (...words: readonly string[]): Promise<ExecResult> =>
      exec(process.execPath, [MAIN, "--dir", join(lab.directory, "s"), ...words], {
        env: {},
        cwd: lab.directory,
        signal: AbortSignal.timeout(50_000),
      });
    expect(await call("status")).toMatchObject({ code: 1 });
    expect((await call("start", "--model", "m1")).code).toBe(0);
    try {
      const charm = await lab.charm({
        metadata: { provides: { image: { interface: "i" } } },
        options: { size: { type: "int", default: 1 } },
        actions: { go: { params: { count: { type: "integer" } } } },
        hooks: {
          go: "action-set count=$(action-get count)",
          "config-changed": `status-set active "size $(config-get size)"`,
        },
      });
      expect(await call("deploy", charm, "app")).toMatchObject({ code: 0, stdout: "app\n" });
      await call("scripted", "runner", "image:i:requires");
      expect((await call("relate", "app:image", "runner:image")).stdout).toBe("0\n");
      await call("set-data", "0", "runner/0", "a=1");
      expect(await call("exec", "app/0", "relation-get -r 0 a runner/0; exit 4")).toMatchObject({
        code: 4,
        stdout: "1\n",
      });
      await call("config", "app", "size=5");
      expect((await call("status")).stdout).toBe(
        [
          "Model m1, Juju 3.6.9",
          "",
          "App     Version  Status   Units  Message",
          "app              active   1      size 5",
          "runner           waiting  1      installing agent",
          "",
          "Unit       Workload  Agent       Machine  Message",
          "app/0*     active    idle        0        size 5",
          "runner/0*  waiting   allocating  1        installing agent",
          "",
          "Relation  Endpoints",
          "0         app:image  runner:image",
          "",
        ].join("\n"),
      );
      expect((await call("status", "--yaml")).stdout).toContain("message: size 5");
      expect((await call("run-action", "app/0", "go", "count=3")).stdout).toContain('count: "3"');
      await writeFile(join(lab.directory, "secret.yaml"), "token: abc");
      expect((await call("add-secret", "secret.yaml")).stdout).toMatch(/^secret:[0-9a-v]{20}\n$/);
      expect((await call("show-log")).stdout).toContain("ran hooks/config-changed");
      expect((await call("journal")).stdout).toContain('"command":"config-get"');
      expect((await call("trust", "app")).code).toBe(0);
      expect((await call("exec", "app/0", "credential-get --format=json")).stdout).toContain("RegionOne");
      expect((await call("client-exec", "app/0", "echo $JUJU_ACTION_NAME")).stdout).toContain(
        "stdout: |\n    juju-exec\n",
      );
      await call("advance", "300");
      expect((await call("show-log")).stdout).toContain("ran hooks/update-status");
      expect(await call("cancel-task", "99")).toMatchObject({
        code: 1,
        stderr: "ERROR cannot cancel task 99: it is neither queued nor running\n",
      });
      expect((await call("nope")).code).toBe(2);
    } finally {
      expect((await call("stop")).code).toBe(0);
    }
    await expect.poll(async () => (await call("status")).code).toBe(1);
  });
});
