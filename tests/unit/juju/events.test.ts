import { expect, test } from "vitest";
import { contextFromEnvironment } from "../../../src/juju/context.ts";
import { eventOf, type JujuEvent } from "../../../src/juju/events.ts";

const METADATA = { endpoints: ["image", "cos_agent"], storages: ["data"] };

function event(env: Record<string, string>): JujuEvent {
  const base = { JUJU_UNIT_NAME: "b/0", JUJU_MODEL_NAME: "m", JUJU_MODEL_UUID: "u", JUJU_CHARM_DIR: "/c" };
  return eventOf(contextFromEnvironment({ ...base, ...env }), METADATA);
}

test.each([
  "install",
  "start",
  "stop",
  "remove",
  "config-changed",
  "upgrade-charm",
  "update-status",
  "leader-elected",
  "leader-settings-changed",
  "pre-series-upgrade",
  "post-series-upgrade",
])("knows the hook %s", (kind) => {
  expect(event({ JUJU_DISPATCH_PATH: `hooks/${kind}` })).toEqual({ kind });
});

test.each(["created", "joined", "changed", "departed", "broken"])("knows relation-%s", (what) => {
  const given = event({
    JUJU_DISPATCH_PATH: `hooks/image-relation-${what}`,
    JUJU_RELATION_ID: "image:7",
    JUJU_REMOTE_APP: "runner",
    JUJU_REMOTE_UNIT: "runner/0",
    JUJU_DEPARTING_UNIT: "",
  });
  expect(given).toEqual({
    kind: `relation-${what}`,
    relation: { id: 7, endpoint: "image" },
    remoteApplication: "runner",
    remoteUnit: "runner/0",
    departingUnit: null,
  });
});

test("an endpoint's underscore survives", () => {
  const given = event({
    JUJU_DISPATCH_PATH: "hooks/cos_agent-relation-joined",
    JUJU_RELATION_ID: "cos_agent:1",
  });
  expect(given).toMatchObject({ kind: "relation-joined", relation: { endpoint: "cos_agent" } });
});

test("a change of the application's databag has no remote unit", () => {
  const given = event({
    JUJU_DISPATCH_PATH: "hooks/image-relation-changed",
    JUJU_RELATION_ID: "image:7",
    JUJU_REMOTE_APP: "runner",
    JUJU_REMOTE_UNIT: "",
  });
  expect(given).toMatchObject({ kind: "relation-changed", remoteUnit: null, remoteApplication: "runner" });
});

test("knows secret hooks and their revision", () => {
  const given = event({
    JUJU_DISPATCH_PATH: "hooks/secret-expired",
    JUJU_SECRET_ID: "secret:9m4e2mr0ui3e8a215n4g",
    JUJU_SECRET_LABEL: "",
    JUJU_SECRET_REVISION: "4",
  });
  expect(given).toEqual({
    kind: "secret-expired",
    secret: { id: "secret:9m4e2mr0ui3e8a215n4g", label: null },
    revision: 4,
  });
});

test("knows storage hooks", () => {
  const given = event({
    JUJU_DISPATCH_PATH: "hooks/data-storage-attached",
    JUJU_STORAGE_ID: "data/0",
    JUJU_STORAGE_LOCATION: "/srv",
  });
  expect(given).toEqual({
    kind: "storage-attached",
    storage: { id: "data/0", name: "data", location: "/srv" },
  });
});

test("an action is told from a custom event of the same name", () => {
  expect(event({ JUJU_DISPATCH_PATH: "actions/run" })).toEqual({ kind: "action", name: "run", id: null });
  expect(event({ JUJU_DISPATCH_PATH: "run" })).toEqual({ kind: "custom", name: "run" });
});

test.each([
  { JUJU_DISPATCH_PATH: "hooks/collect-metrics" },
  { JUJU_DISPATCH_PATH: "hooks/dropped-relation-joined", JUJU_RELATION_ID: "dropped:1" },
  { JUJU_DISPATCH_PATH: "hooks/dropped-storage-attached", JUJU_STORAGE_ID: "dropped/1" },
  {},
])("%j is unknown, not an error", (env) => {
  expect(event(env).kind).toBe("unknown");
});

test("refuses a relation hook without a relation", () => {
  expect(() => event({ JUJU_DISPATCH_PATH: "hooks/image-relation-joined" })).toThrow(
    "JUJU_RELATION_ID is not set",
  );
});
