import { cp, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  ActionFailedError,
  DispatchFailedError,
  event,
  givenSecret,
  newestContent,
  openContext,
  ownSecret,
  peerRelation,
  relation,
  relationIn,
  secretIn,
  state,
  uriOf,
  type RunResult,
} from "../../../lab/scenario/index.ts";
import { EVERYTHING, openShell } from "./open-shell.ts";

const ENVIRONMENT = 'env | grep "^JUJU_\\|^EXTRA" | sort';
const variables = ({ stdout }: RunResult): Readonly<Record<string, string>> =>
  Object.fromEntries(
    stdout.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

describe("an event", () => {
  it("reaches the charm as Juju sends it, hook by hook", async () => {
    const options = { application: "app", unit: 2, version: "3.6.4", environment: { EXTRA: "yes" } };
    await using context = await openShell({ ...EVERYTHING, always: ENVIRONMENT }, options);
    const image = relation("image", { remoteUnits: { "runner/0": {} } });
    const secret = givenSecret(
      { password: "a" },
      { revisions: { 1: { key1: "a" }, 2: { key1: "b" } }, tracked: 1, label: "pw" },
    );
    const own = ownSecret({ token: "t" }, { label: "mine" });
    const disk = { name: "data", index: 4, kind: "filesystem", location: "/srv" } as const;
    const before = state({ relations: [image], secrets: [secret, own], storages: [disk] });
    const run = async (
      happening: Parameters<typeof context.run>[0],
    ): Promise<Readonly<Record<string, string>>> => variables(await context.run(happening, before));
    expect(await run(event.updateStatus())).toMatchObject({
      JUJU_DISPATCH_PATH: "hooks/update-status",
      JUJU_HOOK_NAME: "update-status",
      JUJU_UNIT_NAME: "app/2",
      JUJU_VERSION: "3.6.4",
      JUJU_MODEL_UUID: context.model.uuid,
      EXTRA: "yes",
    });
    expect(await run(event.relationChanged(image, "runner/0"))).toMatchObject({
      JUJU_DISPATCH_PATH: "hooks/image-relation-changed",
      JUJU_RELATION_ID: `image:${image.id}`,
      JUJU_REMOTE_UNIT: "runner/0",
      JUJU_REMOTE_APP: "runner",
    });
    expect(await run(event.relationChanged(image))).toMatchObject({ JUJU_REMOTE_UNIT: "" });
    expect(await run(event.relationDeparted(image, "runner/0", "app/2"))).toMatchObject({
      JUJU_DEPARTING_UNIT: "app/2",
    });
    expect(await run(event.secretChanged(secret))).toMatchObject({
      JUJU_SECRET_ID: uriOf(secret),
      JUJU_SECRET_LABEL: "pw",
    });
    expect(await run(event.secretExpired(own, 1))).toMatchObject({
      JUJU_HOOK_NAME: "secret-expired",
      JUJU_SECRET_LABEL: "mine",
      JUJU_SECRET_REVISION: "1",
    });
    expect(await run(event.storageAttached(disk))).toMatchObject({
      JUJU_DISPATCH_PATH: "hooks/data-storage-attached",
      JUJU_STORAGE_ID: "data/4",
      JUJU_STORAGE_LOCATION: "/srv",
    });
    expect(await run(event.custom("tick"))).toMatchObject({ JUJU_DISPATCH_PATH: "tick", JUJU_HOOK_NAME: "" });
    expect(await run(event.action("greet"))).toMatchObject({
      JUJU_DISPATCH_PATH: "actions/greet",
      JUJU_ACTION_NAME: "greet",
    });
    expect(await run(event.hook("collect-metrics"))).toMatchObject({
      JUJU_DISPATCH_PATH: "hooks/collect-metrics",
    });
  });

  it("finds config, leadership, relations, storage and secrets of the state", async () => {
    const always = `say() { juju-log -- "$1: $(shift; "$@" 2>&1 | tr '\\n' ' ')"; }
      say config config-get --format=json
      say leader is-leader
      say units goal-state --format=json
      say list relation-list --format=json -r "image:$(config-get count)"
      say data relation-get --format=json -r "$(config-get count)" - runner/0
      say peers relation-list --format=json -r "$(relation-ids friends)"
      say disks storage-list --format=json
      say path storage-get -s data/0 location
      say secret secret-get "$(config-get password)" key1
      say stored state-get key
      say status status-get`;
    await using context = await openShell({ ...EVERYTHING, always });
    const image = relation("image", { remoteUnits: { "runner/0": { a: "1" }, "runner/1": {} } });
    const friends = peerRelation("friends", { peers: { "shell/3": {} } });
    const secret = givenSecret({ key1: "value" });
    const { logs } = await context.run(
      event.relationDeparted(image, "runner/0"),
      state({
        config: { count: image.id, password: uriOf(secret) },
        leader: false,
        plannedUnits: 3,
        relations: [image, friends],
        secrets: [secret],
        storages: [{ name: "data", index: 0, kind: "filesystem", location: "/srv" }],
        stored: { key: "kept" },
        unitStatus: { name: "waiting", message: "for it" },
      }),
    );
    const said = new Map(
      logs.map(({ message }) => {
        const [, key = "", text = ""] = /^image:\d+: (\w+): ?(.*?) *$/.exec(message) ?? [];
        return [key, text];
      }),
    );
    expect(JSON.parse(said.get("config") ?? "")).toEqual({
      name: "x",
      count: image.id,
      password: uriOf(secret),
    });
    expect(said.get("leader")).toBe("False");
    expect(Object.keys((JSON.parse(said.get("units") ?? "") as { units: object }).units).toSorted()).toEqual([
      "shell/0",
      "shell/1",
      "shell/3",
    ]);
    // who departs is listed no more and stays readable
    expect(said.get("list")).toBe('["runner/1"]');
    expect(JSON.parse(said.get("data") ?? "")).toMatchObject({ a: "1" });
    expect(said.get("peers")).toBe('["shell/3"]');
    expect(said.get("disks")).toBe('["data/0"]');
    expect(said.get("path")).toBe("/srv");
    expect(said.get("secret")).toBe("value");
    expect(said.get("stored")).toBe("kept");
    expect(said.get("status")).toContain("waiting");
  });
});

const WRITES = `relation-set -r "$(relation-ids image)" id=1 old=
  relation-set -r "$(relation-ids image)" --app who=app
  state-set key=new
  open-port 80
  uri=$(secret-add --label mine token=t0ken)
  secret-grant "$uri" -r "$(relation-ids image)"
  status-set active fine
  status-set --application active all
  application-version-set 1.2
  secret-get "$(config-get password)" --refresh >/dev/null`;

const IMAGE = relation("image", { remoteUnits: { "runner/0": {} }, ownUnit: { old: "x", kept: "y" } });
const SECRET = givenSecret({}, { revisions: { 1: { key1: "a" }, 2: { key1: "b" } }, tracked: 1 });
const BEFORE = state({
  relations: [IMAGE],
  secrets: [SECRET],
  config: { password: uriOf(SECRET) },
  stored: { key: "old" },
});

describe("the next state", () => {
  it("holds what the charm wrote; the state before is as it was, and neither can be changed", async () => {
    await using context = await openShell({ ...EVERYTHING, always: WRITES });
    const copy = structuredClone(BEFORE);
    const { state: after, statuses, calls } = await context.run(event.start(), BEFORE);
    expect(BEFORE).toEqual(copy);
    expect(relationIn(after, IMAGE)).toEqual({
      ...IMAGE,
      ownUnit: { id: "1", kept: "y" },
      ownApplication: { who: "app" },
    });
    expect(after.stored).toEqual({ key: "new" });
    expect(after.ports).toEqual([{ protocol: "tcp", from: 80, to: 80, endpoint: "" }]);
    expect(secretIn(after, SECRET)).toEqual({ ...SECRET, tracked: 2 });
    const mine = after.secrets.find(({ label }) => label === "mine");
    expect(mine).toMatchObject({ owner: "application", grants: { runner: IMAGE.id }, tracked: null });
    expect(mine && newestContent(mine)).toEqual({ token: "t0ken" });
    expect(after.unitStatus).toEqual({ name: "active", message: "fine" });
    expect(after.applicationStatus).toEqual({ name: "active", message: "all" });
    expect(after.workloadVersion).toBe("1.2");
    expect(after.config).toEqual(BEFORE.config);
    expect(statuses).toEqual({ unit: [after.unitStatus], application: [after.applicationStatus] });
    expect(calls.map(({ command }) => command).filter((name) => name.startsWith("status"))).toEqual([
      "status-set",
      "status-set",
    ]);
    expect(() => Object.assign(after.stored, { key: "changed" })).toThrow(TypeError);
    expect(() => Object.assign(relationIn(BEFORE, IMAGE).ownUnit, { id: "changed" })).toThrow(TypeError);
  });

  it("is what the next event runs in", async () => {
    const always = `n=$(state-get count); state-set "count=$((\${n:-0} + 1))"`;
    await using context = await openShell({ always });
    const first = await context.run(event.install(), state());
    const second = await context.run(event.start(), first.state);
    expect(second.state.stored).toEqual({ count: "2" });
    expect(first.state.stored).toEqual({ count: "1" });
  });

  it("leaves an unfrozen state of the caller's alone", async () => {
    await using context = await openShell({ ...EVERYTHING, always: WRITES });
    const mutable = structuredClone(BEFORE);
    await context.run(event.start(), mutable);
    expect(mutable).toEqual(BEFORE);
    expect(Object.isFrozen(mutable.relations)).toBe(false);
  });

  it.each([
    ["the hook fails", "exit 3", {}],
    ["the hook is killed", "kill -KILL $$", {}],
    ["the commit is refused", "", { refuseCommit: "quota exceeded" }],
  ])("has only what took effect at once when %s", async (_, script, options) => {
    await using context = await openShell({ ...EVERYTHING, always: `${WRITES}\n${script}` });
    const error = await context.run(event.start(), BEFORE, options).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DispatchFailedError);
    const { result } = error as DispatchFailedError;
    expect(result.state).toEqual({
      ...BEFORE,
      secrets: [{ ...SECRET, tracked: 2 }],
      unitStatus: { name: "active", message: "fine" },
      applicationStatus: { name: "active", message: "all" },
      workloadVersion: "1.2",
    });
  });

  it("has what a failed custom event queued, for juju-exec commits all the same", async () => {
    await using context = await openShell({ always: "state-set key=kept; exit 4" });
    const error = await context.run(event.custom("tick"), state()).catch((caught: unknown) => caught);
    expect((error as DispatchFailedError).result).toMatchObject({
      exitCode: 4,
      state: { stored: { key: "kept" } },
    });
  });
});

describe("a failing dispatch", () => {
  it("tells event, exit code, log and stderr", async () => {
    const always = `juju-log -l ERROR "it broke"; echo "line 3: no such thing" >&2; exit 7`;
    await using context = await openShell({ ...EVERYTHING, always });
    const image = relation("image", { id: 5, remoteUnits: { "runner/0": {} } });
    const run = context.run(event.relationJoined(image, "runner/0"), state({ relations: [image] }));
    await expect(run).rejects.toThrow(
      [
        "cannot run image-relation-joined of relation 5 for runner/0: dispatch ended with exit code 7",
        "log:",
        "  INFO image:5: ran hooks/image-relation-joined runner/0",
        "  ERROR image:5: it broke",
        "stderr:",
        "  line 3: no such thing",
      ].join("\n"),
    );
  });

  it("is killed after its time, with what it started", async () => {
    await using context = await openShell({ always: "echo $$ >pid; mkfifo gate; cat gate" });
    const run = context.run(event.start(), state(), { limitMs: 1_000 });
    await expect(run).rejects.toThrow("cannot run start: not done after 1s");
    const pid = (await readFile(join(context.folder, "pid"), "utf8")).trim();
    await expect(stat(`/proc/${pid}`)).rejects.toThrow("ENOENT");
  });

  it("can be made to fail by a fault of a hook command", async () => {
    await using context = await openShell({ ...EVERYTHING, always: "is-leader" });
    const faults = [{ command: "is-leader", exit: 1, stderr: "ERROR lease lost\n" }];
    await expect(context.run(event.start(), state(), { faults })).rejects.toThrow("ERROR lease lost");
    expect((await context.run(event.start(), state())).stdout).toBe("True\n");
  });
});

describe("an action", () => {
  const hooks = {
    greet: `action-log "on my way"; action-set hello="$(action-get name)"; state-set done=yes`,
    fail: `action-set part=1; state-set done=yes; action-fail "no luck today"`,
  };

  it("gives its results and log, with the schema's defaults", async () => {
    await using context = await openShell({ ...EVERYTHING, hooks });
    const { action, state: after } = await context.run(event.action("greet"), state());
    expect(action).toEqual({ results: { hello: "you" }, log: ["on my way"] });
    expect(after.stored).toEqual({ done: "yes" });
  });

  it("that fails gives its message, and the state with what it queued", async () => {
    await using context = await openShell({ ...EVERYTHING, hooks });
    const error = await context.run(event.action("fail"), state()).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ActionFailedError);
    const { failure, message, result } = error as ActionFailedError;
    expect(failure).toBe("no luck today");
    expect(message).toBe("the action fail failed: no luck today");
    expect(result).toMatchObject({ state: { stored: { done: "yes" } }, action: { results: { part: "1" } } });
  });
});

describe("a context", () => {
  it("runs several events at a time, each in a state of its own", async () => {
    await using context = await openShell({ ...EVERYTHING, always: `state-set "name=$(config-get name)"` });
    const names = ["a", "b", "c", "d"];
    const results = await Promise.all(
      names.map(async (name) => await context.run(event.updateStatus(), state({ config: { name } }))),
    );
    expect(results.map(({ state: after }) => after.stored)).toEqual(names.map((name) => ({ name })));
  });

  it("ends what still runs, and takes no more, when it is disposed of", async () => {
    const context = await openShell({ always: "mkfifo gate; cat gate" });
    const run = context.run(event.start(), state());
    await Promise.all([expect(run).rejects.toThrow("disposed of"), context[Symbol.asyncDispose]()]);
    await expect(context.run(event.start(), state())).rejects.toThrow("disposed of");
  });

  it("copies a charm that has a charmcraft.yaml alone", async () => {
    await using other = await openShell({});
    const folder = join(other.folder, "unified");
    await mkdir(folder);
    await cp(join(other.folder, "dispatch"), join(folder, "dispatch"));
    await writeFile(
      join(folder, "charmcraft.yaml"),
      "name: unified\nconfig: {options: {x: {type: string}}}\n",
    );
    await using context = await openContext({ charm: folder });
    const { logs } = await context.run(event.start(), state({ config: { x: "y" } }));
    expect(logs).toEqual([{ level: "INFO", message: "ran hooks/start " }]);
    expect(context.setting.unit).toBe("unified/0");
  });

  it("commits a hook that asks for a reboot later, and not one that reboots at once", async () => {
    await using later = await openShell({ always: "state-set a=1; juju-reboot" });
    expect(await later.run(event.start(), state())).toMatchObject({
      reboot: "after",
      state: { stored: { a: "1" } },
    });
    await using now = await openShell({ always: "state-set a=1; juju-reboot --now" });
    expect(await now.run(event.start(), state())).toMatchObject({ reboot: "now", state: { stored: {} } });
  });
});
