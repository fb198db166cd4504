import { describe, expect, it } from "vitest";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const CHARM = {
  metadata: { provides: { image: { interface: "image" } } },
  options: { credentials: { type: "secret" } },
  always: `[ -z "\${JUJU_SECRET_ID:-}" ] || juju-log "secret $JUJU_SECRET_ID label=[$JUJU_SECRET_LABEL] revision=[\${JUJU_SECRET_REVISION:-}]"`,
};

async function ready(units = 1): Promise<Playground> {
  const lab = await playground();
  await lab.juju.deploy("app", { charm: await lab.charm(CHARM), units });
  await lab.juju.settle();
  return lab;
}

async function run(lab: Playground, command: string, unit = "app/0"): Promise<string> {
  const { stdout, stderr } = await lab.juju.exec(unit, command);
  return stdout + stderr;
}

describe("a user secret", () => {
  it("is denied until granted, and granting fires no hook", async () => {
    await using lab = await ready();
    const uri = lab.juju.addSecret({ password: "p<1" });
    await lab.juju.setConfig("app", { credentials: uri });
    await lab.juju.settle();
    const before = lab.ran("app/0").length;
    expect(await run(lab, 'secret-get "$(config-get credentials)"')).toBe("ERROR permission denied\n");
    lab.juju.grantSecret(uri, "app");
    await lab.juju.settle();
    expect(lab.ran("app/0").length).toBe(before);
    expect(
      await run(lab, `secret-get ${uri}; secret-get ${uri} password; secret-get ${uri} --format=json`),
    ).toBe('password: p<1\np<1\n{"password":"p\\u003c1"}\n');
    lab.juju.revokeSecret(uri, "app");
    expect(await run(lab, `secret-get ${uri}`)).toBe("ERROR permission denied\n");
  });

  it("is not found when removed or unknown", async () => {
    await using lab = await ready();
    const uri = lab.juju.addSecret({ password: "x" });
    lab.juju.removeSecret(uri);
    expect(await run(lab, `secret-get ${uri}`)).toBe(`ERROR secret "${uri.slice(7)}" not found\n`);
  });

  it("stays at the tracked revision until refreshed; peek only looks", async () => {
    await using lab = await ready();
    const uri = lab.juju.addSecret({ password: "one" });
    lab.juju.grantSecret(uri, "app");
    expect(await run(lab, `secret-get ${uri} password`)).toBe("one\n");
    lab.juju.updateSecret(uri, { password: "two" });
    await lab.juju.settle();
    const get = `secret-get ${uri} password`;
    expect(await run(lab, `${get} --peek; ${get}; ${get} --refresh; ${get}`)).toBe("two\none\ntwo\ntwo\n");
  });

  it("fires secret-changed once per revision, with the consumer's label, only for who has read it", async () => {
    await using lab = await ready(2);
    const uri = lab.juju.addSecret({ password: "one" });
    lab.juju.grantSecret(uri, "app");
    await run(lab, `secret-get ${uri} --label mine`);
    lab.juju.updateSecret(uri, { password: "two" });
    await lab.juju.settle();
    expect(lab.ran("app/0").filter((name) => name === "secret-changed")).toHaveLength(1);
    expect(lab.ran("app/1").filter((name) => name === "secret-changed")).toHaveLength(0);
    expect(lab.juju.logs().map(({ message }) => message)).toContain(`secret ${uri} label=[mine] revision=[]`);
    expect(await run(lab, "secret-get --label mine --refresh")).toContain("two");
    lab.juju.updateSecret(uri, { password: "three" });
    await lab.juju.settle();
    expect(lab.ran("app/0").filter((name) => name === "secret-changed")).toHaveLength(2);
  });

  it("is tracked at once, even by a run that fails", async () => {
    await using lab = await playground();
    const uri = lab.juju.addSecret({ password: "one" });
    const charm = await lab.charm({ hooks: { "update-status": `secret-get ${uri}; exit 1` } });
    await lab.juju.deploy("app", { charm });
    lab.juju.grantSecret(uri, "app");
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    lab.juju.updateSecret(uri, { password: "two" });
    await lab.juju.settle();
    expect(await run(lab, `secret-get ${uri} password`)).toBe("one\n");
  });

  it("is refused as a config value unless it is a URI", async () => {
    await using lab = await ready();
    await expect(lab.juju.setConfig("app", { credentials: "hello" })).rejects.toThrow("expected secret");
  });
});

describe("a charm's secret", () => {
  it("is made by the commit, readable before it, and shared by a grant on a relation", async () => {
    await using lab = await ready(2);
    const reader = await lab.charm({ metadata: { requires: { image: { interface: "image" } } } });
    await lab.juju.deploy("reader", { charm: reader });
    await lab.juju.relate("app:image", "reader:image");
    await lab.juju.settle();
    const made = await run(
      lab,
      `umask 077; printf s3cret > f; id=$(secret-add --label db token#file=$PWD/f); secret-get $id token; secret-grant $id -r 0; echo $id`,
    );
    const [shown, uri = ""] = made.split("\n");
    expect(shown).toBe("s3cret");
    expect(lab.juju.secretContent(uri)).toEqual({ token: "s3cret" });
    expect(await run(lab, `secret-get ${uri} token`, "reader/0")).toBe("s3cret\n");
    expect(await run(lab, `secret-info-get ${uri} --format=json`)).toBe(
      `{"${uri.slice(7)}":{"access":[{"role":"view","scope":"relation-0","target":"application-reader"}],"label":"db","owner":"application","revision":1,"rotation":"never"}}\n`,
    );
    expect(await run(lab, `secret-info-get ${uri}`, "reader/0")).toBe(
      `ERROR secret "${uri.slice(7)}" not found\n`,
    );
    expect(await run(lab, "secret-add token=abc", "app/1")).toBe("ERROR this unit is not the leader\n");
    const journal = lab.juju.journal().find(({ command }) => command === "secret-add");
    expect(Object.values(journal?.files ?? {})).toEqual(["s3cret"]);
    await lab.juju.removeRelation(0);
    await lab.juju.settle();
    expect(await run(lab, `secret-get ${uri} token`, "reader/0")).toBe("ERROR permission denied\n");
  });

  it("fires secret-changed on consumers, and secret-remove on the owner when nobody tracks the old revision", async () => {
    await using lab = await ready();
    const reader = await lab.charm({ metadata: { requires: { image: { interface: "image" } } } });
    await lab.juju.deploy("reader", { charm: reader });
    await lab.juju.relate("app:image", "reader:image");
    await lab.juju.settle();
    const uri = (
      await run(lab, "id=$(secret-add --label db token=one); secret-grant $id -r 0; echo $id")
    ).trim();
    await run(lab, `secret-get ${uri}`, "reader/0");
    await run(lab, `secret-set ${uri} token=two`);
    await lab.juju.settle();
    expect(lab.ran("reader/0").at(-1)).toBe("secret-changed");
    expect(lab.ran("app/0")).not.toContain("secret-remove");
    await run(lab, `secret-get ${uri} --refresh`, "reader/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").filter((name) => name === "secret-remove")).toHaveLength(1);
    expect(lab.juju.logs().map(({ message }) => message)).toContain(`secret ${uri} label=[db] revision=[1]`);
    lab.juju.rotateSecret(uri);
    lab.juju.expireSecret(uri);
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["secret-expired", "secret-rotate"]);
  });

  it.each([
    ["3.6.9", "new", "two"],
    ["3.4.0", "new", "one"],
  ])(
    "on Juju %s has the label %s and the content %s after two sets in one hook",
    async (version, label, token) => {
      await using lab = await playground({ version });
      await lab.juju.deploy("app", { charm: await lab.charm(CHARM) });
      await lab.juju.settle();
      const uri = (await run(lab, "secret-add --label old token=one")).trim();
      await run(lab, `secret-set ${uri} token=two; secret-set ${uri} --label new`);
      expect(lab.juju.secretContent(uri)).toEqual({ token });
      expect(await run(lab, `secret-info-get ${uri} --format=json`)).toContain(`"label":"${label}"`);
    },
  );

  it("takes set, revoke and remove of an unknown id in silence", async () => {
    await using lab = await ready();
    const unknown = "secret:00000000000000000000";
    expect(
      await run(
        lab,
        `secret-set ${unknown} key=value; secret-remove ${unknown}; secret-revoke ${unknown} --app x`,
      ),
    ).toBe("");
  });
});
