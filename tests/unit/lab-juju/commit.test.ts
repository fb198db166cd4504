import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGate, playground, until, type Playground } from "../../support/charms/shell-charm.ts";

/** `app` related to the scripted `remote`; its update-status does `script`. */
async function related(script: string): Promise<Playground & { readonly relation: number }> {
  const lab = await playground();
  const charm = await lab.charm({
    metadata: { provides: { image: { interface: "image" } } },
    hooks: { "update-status": script },
    actions: { go: { params: {} } },
  });
  await lab.juju.deploy("app", { charm });
  lab.juju.addScriptedApplication("remote", {
    endpoints: { image: { interface: "image", role: "requires" } },
    units: 1,
  });
  const relation = await lab.juju.relate("app:image", "remote:image");
  await lab.juju.settle();
  return { ...lab, relation };
}

const WRITES = `relation-set -r 0 key=value; relation-set -r 0 --app shared=1; state-set s=1; open-port 80
status-set active now; application-version-set 1.2`;

describe("two-phase writes", () => {
  it("show nothing to others until the hook has ended well", async () => {
    await using lab = await related(`${WRITES}; mkfifo gate; cat gate`);
    await lab.juju.updateStatus("app/0");
    await until(() => lab.juju.journal().at(-1)?.command === "application-version-set");
    expect(lab.juju.unitData(0, "app/0")).not.toHaveProperty("key");
    expect(lab.juju.applicationData(0, "app")).toEqual({});
    const now = lab.juju.status().applications["app"];
    expect(now?.units["app/0"]?.workload).toMatchObject({ status: "active", message: "now" });
    expect(now?.version).toBe("1.2");
    expect(now?.units["app/0"]?.state).toEqual({});
    await openGate(join(lab.juju.charmDirectory("app/0"), "gate"));
    await lab.juju.settle();
    expect(lab.juju.unitData(0, "app/0")).toMatchObject({ key: "value" });
    expect(lab.juju.applicationData(0, "app")).toEqual({ shared: "1" });
    expect(lab.juju.status().applications["app"]?.units["app/0"]).toMatchObject({
      state: { s: "1" },
      ports: [{ from: 80 }],
    });
  });

  it("are read back by the run that wrote them; an empty value deletes", async () => {
    await using lab = await related("");
    const { stdout } = await lab.juju.exec(
      "app/0",
      `relation-set -r 0 a=1 b=' x '; relation-set -r 0 a=; relation-get -r 0 b app/0; relation-get -r 0 --format=json a app/0
       state-set k=v; state-get k; opened-ports --format=json; open-port 1; opened-ports`,
    );
    expect(stdout).toBe("x\nnull\nv\n[]\n1/tcp\n");
  });

  it("are discarded when a hook fails; what is immediate stays", async () => {
    await using lab = await related(`${WRITES}; exit 3`);
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.juju.unitData(0, "app/0")).not.toHaveProperty("key");
    const unit = lab.juju.status().applications["app"]?.units["app/0"];
    expect(unit).toMatchObject({
      state: {},
      ports: [],
      workload: { status: "active", message: "now" },
      agent: { status: "error", message: 'hook failed: "update-status"' },
    });
  });

  it("are committed by juju-exec even when the command fails", async () => {
    await using lab = await related("");
    const { exit } = await lab.juju.exec("app/0", `${WRITES}; exit 7`);
    expect(exit).toBe(7);
    expect(lab.juju.unitData(0, "app/0")).toMatchObject({ key: "value" });
  });

  it("are discarded by juju-exec when the command is killed", async () => {
    await using lab = await related("");
    const { exit, stderr } = await lab.juju.exec("app/0", `relation-set -r 0 key=value; kill -KILL $$`);
    expect(exit).toBe(1);
    expect(stderr).toContain("ERROR signal: SIGKILL");
    expect(lab.juju.unitData(0, "app/0")).not.toHaveProperty("key");
  });

  it("fail as a whole when the controller refuses the commit, and the retry brings them", async () => {
    await using lab = await related(WRITES);
    lab.juju.failNextCommit("app/0", "cannot reach the database");
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.agent.status).toBe("error");
    expect(lab.juju.unitData(0, "app/0")).not.toHaveProperty("key");
    await lab.juju.advance(5_000);
    await lab.juju.settle();
    expect(lab.juju.unitData(0, "app/0")).toMatchObject({ key: "value" });
  });

  it("are refused when leadership was lost in the middle of the hook", async () => {
    await using lab = await related(`relation-set -r 0 --app shared=1; mkfifo gate; cat gate`);
    await lab.juju.updateStatus("app/0");
    await until(() => lab.juju.journal().at(-1)?.command === "relation-set");
    lab.juju.clearLeader("app");
    await openGate(join(lab.juju.charmDirectory("app/0"), "gate"));
    await lab.juju.settle();
    expect(lab.juju.applicationData(0, "app")).toEqual({});
    expect(lab.juju.status().applications["app"]?.units["app/0"]?.agent.status).toBe("error");
  });

  it("of new secrets, grants and storage go with a failed hook; a secret's tracking stays", async () => {
    await using lab = await related("");
    const uri = lab.juju.addSecret({ token: "one" });
    lab.juju.grantSecret(uri, "app");
    const shape = { metadata: { provides: { image: { interface: "image" } } } };
    const script = `id=$(secret-add token=abc); secret-get $id token; secret-grant $id -r 0; secret-get ${uri}; exit 1`;
    await lab.juju.upgradeCharm("app", await lab.charm({ ...shape, hooks: { "update-status": script } }));
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.juju.ownedSecrets("app")).toEqual([]);
    lab.juju.updateSecret(uri, { token: "two" });
    await lab.juju.resolve("app/0", { retry: false });
    await lab.juju.settle();
    expect((await lab.juju.exec("app/0", `secret-get ${uri} token`)).stdout).toBe("one\n");
  });

  it("take words over the file's, without the spaces around them", async () => {
    await using lab = await related("");
    await lab.juju.exec(
      "app/0",
      `printf 'a: one\nb: "2"\nc: yes\n' > f; relation-set -r 0 --file f a=' three '`,
    );
    expect(lab.juju.unitData(0, "app/0")).toMatchObject({ a: "three", b: "2", c: "yes" });
  });

  it("of more state than a unit may have fail as a whole", async () => {
    await using lab = await related(
      `relation-set -r 0 key=value; for i in $(seq 33); do printf 'k%s: "%065536d"\n' $i 0; done | state-set --file -`,
    );
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect(lab.juju.logs().at(-1)?.message).toContain("max allowed size (2097152) for charm state exceeded");
    expect(lab.juju.unitData(0, "app/0")).not.toHaveProperty("key");
  });
});
