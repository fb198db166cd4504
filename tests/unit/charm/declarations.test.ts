import { access, constants, readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { expect, test } from "vitest";

const REPOSITORY = new URL("../../../", import.meta.url);
const read = async (path: string): Promise<string> => await readFile(new URL(path, REPOSITORY), "utf8");

test("every action says whether it takes undeclared parameters, because Juju 3 and 4 differ without it", async () => {
  const actions = load(await read("actions.yaml")) as Record<string, { additionalProperties?: boolean }>;
  expect(Object.keys(actions)).not.toEqual([]);
  for (const action of Object.values(actions)) expect(action.additionalProperties).toBe(false);
});

test("the charm names its base, without which Juju 4 refuses it", async () => {
  const project = load(await read("charmcraft.yaml")) as { base?: string; platforms?: object };
  expect(project.base).toMatch(/^ubuntu@\d\d\.\d\d$/);
  expect(Object.keys(project.platforms ?? {})).not.toEqual([]);
});

test("dispatch is an executable for /bin/sh: Ubuntu has no node, and the agent needs the x bit", async () => {
  await access(new URL("dispatch", REPOSITORY), constants.X_OK);
  const text = await read("dispatch");
  expect(text).toMatch(/^#!\/bin\/sh\n/);
  expect(text).toContain("./node/bin/node");
});
