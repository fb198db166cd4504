import { stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const METADATA = {
  storage: {
    data: { type: "filesystem", location: "/srv/data" },
    disks: { type: "block", multiple: { range: "0-2" } },
  },
};

async function ready(hooks: Readonly<Record<string, string>> = {}): Promise<Playground> {
  const lab = await playground();
  const always = `[ -z "\${JUJU_STORAGE_ID:-}" ] || juju-log "$JUJU_STORAGE_ID $JUJU_STORAGE_KIND $JUJU_STORAGE_LOCATION $(storage-get location)"`;
  await lab.juju.deploy("app", { charm: await lab.charm({ metadata: METADATA, always, hooks }) });
  await lab.juju.settle();
  return lab;
}

describe("storage", () => {
  it("is attached before install, and the hook knows its id, kind and place", async () => {
    await using lab = await ready();
    expect(lab.ran("app/0").slice(0, 2)).toEqual(["data-storage-attached", "install"]);
    const run = async (command: string): Promise<string> => (await lab.juju.exec("app/0", command)).stdout;
    expect(await run("storage-list --format=json; storage-list; storage-list disks --format=json")).toBe(
      '["data/0"]\ndata/0\n[]\n',
    );
    const place = (await run("storage-get -s data/0 location")).trim();
    expect(place.endsWith("/app-0/srv/data")).toBe(true);
    expect((await stat(place)).isDirectory()).toBe(true);
    expect(await run("storage-get -s data/0 --format=json")).toBe(
      `{"kind":"filesystem","location":"${place}"}\n`,
    );
    expect(lab.juju.logs().map(({ message }) => message)).toContain(`data/0 filesystem ${place} ${place}`);
  });

  it("asked for by the charm comes with the commit, and not from a failed hook", async () => {
    await using lab = await ready({ "update-status": "storage-add disks=2; storage-list; [ -e ok ]" });
    await lab.juju.updateStatus("app/0");
    await lab.juju.settle();
    expect((await lab.juju.exec("app/0", "storage-list; : > ok")).stdout).toBe("data/0\n");
    await lab.juju.resolve("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["disks-storage-attached", "disks-storage-attached"]);
    expect((await lab.juju.exec("app/0", "storage-list")).stdout).toBe("data/0\ndisks/1\ndisks/2\n");
    expect(await lab.juju.exec("app/0", "storage-add disks")).toMatchObject({
      exit: 1,
      stderr: 'ERROR cannot add storage: at most 2 instances of "disks" supported, 3 specified\n',
    });
    expect(() => lab.juju.addStorage("app/0", "nope")).toThrow('charm storage "nope" not found');
  });

  it("is detached by a hook, and when the unit goes", async () => {
    await using lab = await ready();
    lab.juju.addStorage("app/0", "disks");
    await lab.juju.settle();
    lab.juju.detachStorage("app/0", "disks/1");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-2)).toEqual(["disks-storage-attached", "disks-storage-detaching"]);
    expect((await lab.juju.exec("app/0", "storage-list")).stdout).toBe("data/0\n");
    await lab.juju.removeUnit("app/0");
    await lab.juju.settle();
    expect(lab.ran("app/0").slice(-3)).toEqual(["data-storage-detaching", "stop", "remove"]);
  });
});
