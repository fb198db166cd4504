import { describe, expect, it } from "vitest";
import { playground } from "../../support/charms/shell-charm.ts";

const SHOWN = "DISPATCH|HOOK_NAME|RELATION|REMOTE|DEPARTING|ACTION|SECRET|STORAGE";

/** Logs what the dispatch is told about its event, one line a variable, sorted. */
const TELLS = `juju-log -- "event
$(env | grep -E '^JUJU_(${SHOWN})' | sort)"`;

describe("the variables of an event", () => {
  it("name its hook and its object, and nothing of another kind", async () => {
    await using lab = await playground();
    const charm = await lab.charm({
      metadata: {
        provides: { image: { interface: "image" } },
        storage: { data: { type: "filesystem" } },
      },
      actions: { go: {} },
      always: TELLS,
    });
    await lab.juju.deploy("app", { charm });
    const endpoints = { image: { interface: "image", role: "requires" } } as const;
    lab.juju.addScriptedApplication("remote", { endpoints, units: 1 });
    await lab.juju.relate("app:image", "remote:image");
    const secret = lab.juju.addSecret({ token: "one" });
    lab.juju.grantSecret(secret, "app");
    await lab.juju.settle();
    const place = (await lab.juju.exec("app/0", "storage-get -s data/0 location")).stdout.trim();
    await lab.juju.exec("app/0", `secret-get ${secret} --label mine`);
    const own = (await lab.juju.exec("app/0", "secret-add --label db token=one")).stdout.trim();
    lab.juju.expireSecret(own);
    lab.juju.updateSecret(secret, { token: "two" });
    lab.juju.setApplicationData(0, "remote", { a: "1" });
    await lab.juju.settle();
    await lab.juju.runAction("app/0", "go");
    await lab.juju.exec("app/0", "JUJU_DISPATCH_PATH=tick ./dispatch");
    await lab.juju.removeUnit("remote/0");
    await lab.juju.removeRelation(0);
    await lab.juju.settle();

    const events = lab.juju
      .logs()
      .flatMap(({ message }) => /^(?:\S+: )?event\n([^]*)$/.exec(message)?.[1] ?? [])
      .map((text) => text.split("\n").map((line) => line.replace(/^JUJU_/, "")));
    const of = (path: string): readonly string[] =>
      events.findLast((lines) => lines.includes(`DISPATCH_PATH=${path}`)) ?? [];
    const hook = (name: string): readonly string[] => [`DISPATCH_PATH=hooks/${name}`, `HOOK_NAME=${name}`];
    const relation = (unit: string): readonly string[] => [
      "RELATION=image",
      "RELATION_ID=image:0",
      "REMOTE_APP=remote",
      `REMOTE_UNIT=${unit}`,
    ];
    expect(of("hooks/start")).toEqual(hook("start"));
    expect(of("hooks/data-storage-attached")).toEqual([
      ...hook("data-storage-attached"),
      "STORAGE_ID=data/0",
      "STORAGE_KIND=filesystem",
      `STORAGE_LOCATION=${place}`,
    ]);
    expect(of("hooks/image-relation-created")).toEqual([...hook("image-relation-created"), ...relation("")]);
    expect(of("hooks/image-relation-joined")).toEqual([
      ...hook("image-relation-joined"),
      ...relation("remote/0"),
    ]);
    expect(of("hooks/image-relation-changed")).toEqual([...hook("image-relation-changed"), ...relation("")]);
    expect(of("hooks/image-relation-departed")).toEqual([
      "DEPARTING_UNIT=remote/0",
      ...hook("image-relation-departed"),
      ...relation("remote/0"),
    ]);
    expect(of("hooks/image-relation-broken")).toEqual([...hook("image-relation-broken"), ...relation("")]);
    expect(of("hooks/secret-changed")).toEqual([
      ...hook("secret-changed"),
      `SECRET_ID=${secret}`,
      "SECRET_LABEL=mine",
    ]);
    expect(of("hooks/secret-expired")).toEqual([
      ...hook("secret-expired"),
      `SECRET_ID=${own}`,
      "SECRET_LABEL=db",
      "SECRET_REVISION=1",
    ]);
    expect(of("actions/go")).toEqual([
      "ACTION_NAME=go",
      "ACTION_TAG=action-1",
      "ACTION_UUID=1",
      "DISPATCH_PATH=actions/go",
      "HOOK_NAME=",
    ]);
    expect(of("tick")).toEqual(["DISPATCH_PATH=tick", "HOOK_NAME="]);
  });
});
