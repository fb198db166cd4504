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

test("every variable that Juju gives a machine charm has its place", () => {
  const context = contextFromEnvironment({
    ...BASE,
    JUJU_DISPATCH_PATH: "hooks/x",
    JUJU_MACHINE_ID: "3/lxd/0",
    JUJU_AVAILABILITY_ZONE: "az1",
    JUJU_PRINCIPAL_UNIT: "runner/0",
    JUJU_TARGET_BASE: "ubuntu@24.04",
    JUJU_RELATION: "image",
    JUJU_RELATION_ID: "image:7",
    JUJU_REMOTE_UNIT: "runner/1",
    JUJU_REMOTE_APP: "runner",
    JUJU_DEPARTING_UNIT: "runner/1",
    JUJU_SECRET_ID: "secret:9m4e2mr0ui3e8a215n4g",
    JUJU_SECRET_LABEL: "own",
    JUJU_SECRET_REVISION: "4",
    JUJU_STORAGE_ID: "data/0",
    JUJU_STORAGE_LOCATION: "/srv",
    JUJU_STORAGE_KIND: "filesystem",
    JUJU_CHARM_HTTP_PROXY: "h",
    JUJU_CHARM_HTTPS_PROXY: "s",
    JUJU_CHARM_FTP_PROXY: "f",
    JUJU_CHARM_NO_PROXY: "n",
  });
  expect(context).toMatchObject({
    machineId: "3/lxd/0",
    availabilityZone: "az1",
    principalUnit: "runner/0",
    targetBase: "ubuntu@24.04",
    relation: {
      id: 7,
      endpoint: "image",
      remoteUnit: "runner/1",
      remoteApplication: "runner",
      departingUnit: "runner/1",
    },
    secret: { id: "secret:9m4e2mr0ui3e8a215n4g", label: "own", revision: 4 },
    storage: { id: "data/0", location: "/srv", kind: "filesystem" },
    proxies: { http: "h", https: "s", ftp: "f", no: "n" },
  });
  expect(context.version.text).toBe("3.6.9");
});

test("the legacy CHARM_DIR and a missing JUJU_VERSION will do", () => {
  const { JUJU_CHARM_DIR: dir, JUJU_VERSION: _, ...rest } = BASE;
  const context = contextFromEnvironment({ ...rest, CHARM_DIR: dir });
  expect([context.charmDir, context.version.isKnown]).toEqual(["/charm", false]);
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
