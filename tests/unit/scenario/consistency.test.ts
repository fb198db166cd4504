import { describe, expect, it } from "vitest";
import {
  event,
  givenSecret,
  InconsistentScenarioError,
  ownSecret,
  peerRelation,
  relation,
  state,
  uriOf,
  type ScenarioEvent,
  type State,
} from "../../../lab/scenario/index.ts";
import { EVERYTHING, openShell } from "./open-shell.ts";

const image = relation("image", { id: 1, remoteUnits: { "runner/0": {} } });
const friends = peerRelation("friends", { id: 2, peers: { "shell/1": {} } });
const given = givenSecret({ key1: "a" }, { id: "g".repeat(20) });
const own = ownSecret({ key1: "a" }, { id: "h".repeat(20) });
const disk = { name: "data", index: 0, kind: "filesystem", location: "/srv" } as const;

type Case = readonly [problem: string, happening: ScenarioEvent, given: Partial<State>, version?: string];

const update = event.updateStatus();

const IMPOSSIBLE: readonly Case[] = [
  // the event and the state
  ["relation 1 of the event is not in the state", event.relationChanged(image), {}],
  [
    "relation 1 of the event is of image, in the state of db",
    event.relationChanged(image),
    { relations: [relation("db", { id: 1 })] },
  ],
  [
    'relation-changed is about "other/0", which is no unit of runner',
    event.relationChanged(image, "other/0"),
    { relations: [image] },
  ],
  [
    "relation-joined is about runner/7, which is not in relation 1 of the state",
    event.relationJoined(image, "runner/7"),
    { relations: [image] },
  ],
  [
    "relation-departed needs a remote unit",
    { kind: "relation-departed", id: 1, endpoint: "image", remoteUnit: null, departingUnit: null },
    { relations: [image] },
  ],
  [
    "relation-joined needs a remote unit",
    { kind: "relation-joined", id: 1, endpoint: "image", remoteUnit: null, departingUnit: null },
    { relations: [image] },
  ],
  [
    "relation-broken has no remote unit",
    { kind: "relation-broken", id: 1, endpoint: "image", remoteUnit: "runner/0", departingUnit: null },
    { relations: [image] },
  ],
  [
    "the departing unit runner/9 is neither runner/0 nor our shell/0",
    event.relationDeparted(image, "runner/0", "runner/9"),
    { relations: [image] },
  ],
  [
    "relation-changed is about our own unit shell/0",
    event.relationChanged(friends, "shell/0"),
    { relations: [friends] },
  ],
  [`secret ${given.id} of the event is not in the state`, event.secretChanged(given), {}],
  [
    `secret-changed of ${given.id} needs a tracked revision and a newer one`,
    event.secretChanged(given),
    { secrets: [given] },
  ],
  [
    `secret-changed is told to those who read a secret, but ${own.id} is our own`,
    event.secretChanged(own),
    { secrets: [own] },
  ],
  [
    `secret-rotate is told to the owner, but secret ${given.id} is not ours`,
    event.secretRotate(given),
    { secrets: [given] },
  ],
  [
    `secret-rotate of the application's secret ${own.id} is told to the leader, which the unit is not`,
    event.secretRotate(own),
    { secrets: [own], leader: false },
  ],
  [`secret ${own.id} of the event has no revision 3`, event.secretExpired(own, 3), { secrets: [own] }],
  [
    "secret-remove needs a revision",
    { kind: "secret-remove", id: own.id, revision: null },
    { secrets: [own] },
  ],
  ["storage data/0 of the event is not in the state", event.storageAttached(disk), {}],
  ["action dance is not declared by the charm", event.action("dance"), {}],
  [
    'parameters of the action greet: validation failed: (root).times : must be of type integer, given "often"',
    event.action("greet", { times: "often" }),
    {},
  ],
  [
    'parameters of the action greet: validation failed: (root) : additional property "loud" is not allowed',
    event.action("greet", { loud: true }),
    {},
  ],
  [
    "leader-elected runs on the leader, which the unit is not in the state",
    event.leaderElected(),
    { leader: false },
  ],
  [
    "leader-settings-changed runs on units that do not lead, but ours does",
    event.leaderSettingsChanged(),
    {},
  ],
  ["Juju 4.0.0 has no leader-settings-changed", event.leaderSettingsChanged(), { leader: false }, "4.0.0"],
  ['custom event "a; b" is not made of a-z, 0-9, - and _', event.custom("a; b"), {}],
  ["hook image-relation-changed has an event builder of its own", event.hook("image-relation-changed"), {}],
  ["hook data-storage-attached has an event builder of its own", event.hook("data-storage-attached"), {}],
  // relations
  [
    "relation 4: endpoint nothing is not declared by the charm",
    update,
    { relations: [relation("nothing", { id: 4 })] },
  ],
  [
    "relations of image and of db have the same id 1",
    update,
    { relations: [image, relation("db", { id: 1 })] },
  ],
  [
    "relation 4: endpoint friends is declared under peers: make it with peerRelation()",
    update,
    { relations: [relation("friends", { id: 4 })] },
  ],
  [
    "relation 4: endpoint image is declared under provides: make it with relation()",
    update,
    { relations: [peerRelation("image", { id: 4 })] },
  ],
  [
    "peer endpoint friends has more than one relation",
    update,
    { relations: [friends, peerRelation("friends", { id: 4 })] },
  ],
  [
    "relation 4: peers hold our own unit shell/0; its data are ownUnit",
    update,
    { relations: [peerRelation("friends", { id: 4, peers: { "shell/0": {} } })] },
  ],
  [
    'relation 4: peer "runner/1" is no unit of shell',
    update,
    { relations: [peerRelation("friends", { id: 4, peers: { "runner/1": {} } })] },
  ],
  [
    'relation 4: remote unit "other/0" is no unit of runner',
    update,
    { relations: [relation("image", { id: 4, remoteUnits: { "runner/0": {}, "other/0": {} } })] },
  ],
  [
    "relation 4: the remote application is our own, shell",
    update,
    { relations: [relation("image", { id: 4, remoteApplication: "shell" })] },
  ],
  [
    'relation 4: databag of runner/0 is empty at "key", which Juju would have deleted',
    update,
    { relations: [relation("image", { id: 4, remoteUnits: { "runner/0": { key: "" } } })] },
  ],
  // config
  ["config option colour is not declared by the charm", update, { config: { colour: "red" } }],
  ['config option "count" expected int, got 1.5', update, { config: { count: 1.5 } }],
  ['config option "count" expected int, got "1"', update, { config: { count: "1" } }],
  ['config option "flag" expected boolean, got 1', update, { config: { flag: 1 } }],
  ['config option "password" expected secret, got "hunter2"', update, { config: { password: "hunter2" } }],
  [
    "config option password is a secret, which Juju 2.9.50 does not have",
    update,
    { config: { password: uriOf(given) } },
    "2.9.50",
  ],
  // secrets
  ["there are secrets in the state, which Juju 2.9.50 does not have", update, { secrets: [own] }, "2.9.50"],
  ["a secret is owned by the user, which Juju 3.1.8 does not have", update, { secrets: [given] }, "3.1.8"],
  [`secret ${own.id} is in the state twice`, update, { secrets: [own, own] }],
  [
    'two secrets have the label "pw"',
    update,
    { secrets: [ownSecret({ key1: "a" }, { label: "pw" }), ownSecret({ key1: "b" }, { label: "pw" })] },
  ],
  [
    `secret ${given.id}: revision 2 is tracked, but it is not there`,
    update,
    { secrets: [{ ...given, tracked: 2 }] },
  ],
  [`secret ${given.id} has no revision`, update, { secrets: [{ ...given, revisions: {} }] }],
  [
    `secret ${given.id}: key "K" not valid`,
    update,
    { secrets: [{ ...given, revisions: { 1: { K: "v" } } }] },
  ],
  [
    `secret ${own.id}: the grant to runner hangs on relation 9, which is not in the state`,
    update,
    { secrets: [{ ...own, grants: { runner: 9 } }] },
  ],
  // the unit itself
  ["storage disk is not declared by the charm", update, { storages: [{ ...disk, name: "disk" }] }],
  ["storage data/0 is in the state twice", update, { storages: [disk, disk] }],
  [
    "ports 90-80/tcp are no range of ports",
    update,
    { ports: [{ protocol: "tcp", from: 90, to: 80, endpoint: "" }] },
  ],
  ["plannedUnits is -1; it is a whole number from 0 on", update, { plannedUnits: -1 }],
];

async function problemsOf(happening: ScenarioEvent, parts: Partial<State>, version = "3.6.9") {
  await using context = await openShell({ ...EVERYTHING, always: "exit 99" }, { version });
  const error = await context.run(happening, state(parts)).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InconsistentScenarioError);
  return error as InconsistentScenarioError;
}

describe("a state that Juju could not have brought about", () => {
  const cases = IMPOSSIBLE.map(([problem, ...rest]) => ({ problem, rest }));
  it.each(cases)("is refused: $problem", async ({ problem, rest: [happening, parts, version] }) => {
    expect((await problemsOf(happening, parts, version)).problems).toEqual([problem]);
  });

  it("is told with all that is wrong with it, and never reaches the charm", async () => {
    const { message } = await problemsOf(event.action("dance"), { config: { colour: "red", count: true } });
    expect(message).toBe(
      [
        "cannot run the action dance, for this cannot be:",
        "- action dance is not declared by the charm",
        "- config option colour is not declared by the charm",
        '- config option "count" expected int, got true',
      ].join("\n"),
    );
  });
});
