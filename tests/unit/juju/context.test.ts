import { expect, test } from "vitest";
import { contextFromEnvironment } from "../../../src/juju/context.ts";

const BASE = {
  JUJU_UNIT_NAME: "image-builder/12",
  JUJU_MODEL_NAME: "prod",
  JUJU_MODEL_UUID: "0e2f1a52-3f4b-4c5d-8e6f-7a8b9c0d1e2f",
  JUJU_CHARM_DIR: "/charm",
  JUJU_VERSION: "3.6.9",
};

test("reads unit, application and model", () => {
  const context = contextFromEnvironment({ ...BASE, JUJU_DISPATCH_PATH: "hooks/install" });
  expect(context).toMatchObject({
    unit: "image-builder/12",
    application: "image-builder",
    model: { name: "prod", uuid: BASE.JUJU_MODEL_UUID },
    charmDir: "/charm",
    eventName: "install",
    action: null,
    relation: null,
  });
  expect(Object.isFrozen(context)).toBe(true);
});

test("an empty variable counts as unset", () => {
  const context = contextFromEnvironment({
    ...BASE,
    JUJU_RELATION_ID: "",
    JUJU_SECRET_ID: "",
    JUJU_CHARM_HTTP_PROXY: "",
    JUJU_CHARM_HTTPS_PROXY: "http://proxy:3128",
  });
  expect(context.relation).toBeNull();
  expect(context.secret).toBeNull();
  expect(context.proxies).toEqual({ http: null, https: "http://proxy:3128", ftp: null, no: null });
});

test("names the variable that is missing", () => {
  expect(() => contextFromEnvironment({ ...BASE, JUJU_UNIT_NAME: "" })).toThrow(
    "cannot read the Juju context: JUJU_UNIT_NAME is not set",
  );
});

test.each([
  ["hooks/image-relation-changed", "image-relation-changed", null],
  ["actions/run", "run-action", "run"],
  ["run", "run", null],
  ["build_changed", "build-changed", null],
  ["", "", null],
])("the dispatch path %j is the event %j", (path, eventName, action) => {
  const context = contextFromEnvironment({ ...BASE, JUJU_DISPATCH_PATH: path, JUJU_ACTION_UUID: "7" });
  expect(context.eventName).toBe(eventName);
  expect(context.action).toEqual(action === null ? null : { name: action, id: "7" });
});

test("a client's juju exec is no action, though Juju names one", () => {
  const context = contextFromEnvironment({
    ...BASE,
    JUJU_DISPATCH_PATH: "run",
    JUJU_ACTION_NAME: "juju-exec",
  });
  expect(context.action).toBeNull();
});

test("the remote application follows from the remote unit where Juju leaves it empty", () => {
  const context = contextFromEnvironment({
    ...BASE,
    JUJU_RELATION_ID: "image:7",
    JUJU_REMOTE_UNIT: "runner/3",
    JUJU_REMOTE_APP: "",
  });
  expect(context.relation).toEqual({
    id: 7,
    endpoint: "image",
    remoteUnit: "runner/3",
    remoteApplication: "runner",
    departingUnit: null,
  });
});

test("a hook command sees JUJU_*, PATH and LANG only", () => {
  const context = contextFromEnvironment({
    ...BASE,
    PATH: "/bin",
    LANG: "C",
    HOME: "/root",
    OS_PASSWORD: "x",
  });
  expect(Object.keys(context.toolEnvironment).toSorted()).toEqual(
    [...Object.keys(BASE), "LANG", "PATH"].toSorted(),
  );
});
