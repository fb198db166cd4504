import { access, constants, readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { readOptions } from "../../../scripts/pack/options.ts";
import { ARCHITECTURES, BASES } from "../../../scripts/pack/platforms.ts";

const REPOSITORY = new URL("../../../", import.meta.url);
const read = async (path: string): Promise<string> => await readFile(new URL(path, REPOSITORY), "utf8");

test("every action says whether it takes undeclared parameters, because Juju 3 and 4 differ without it", async () => {
  const actions = load(await read("actions.yaml")) as Record<string, { additionalProperties?: boolean }>;
  expect(Object.keys(actions)).not.toEqual([]);
  for (const action of Object.values(actions)) expect(action.additionalProperties).toBe(false);
});

test("charmcraft packs for each base and architecture, and Juju 4 refuses a charm without bases", async () => {
  const { platforms } = load(await read("charmcraft.yaml")) as { platforms: object };
  const names = BASES.flatMap((base) => Object.keys(ARCHITECTURES).map((arch) => `ubuntu@${base}:${arch}`));
  expect(Object.keys(platforms)).toEqual(names);
});

test("charmcraft runs our packing, and finds no key in two files", async () => {
  const project = load(await read("charmcraft.yaml")) as {
    parts: Record<string, { "override-build": string }>;
  };
  const metadata = load(await read("metadata.yaml")) as object;
  // of what is in metadata.yaml, config.yaml and actions.yaml, charmcraft wants nothing here
  expect(Object.keys(project)).toEqual(["type", "platforms", "parts"]);
  expect(Object.keys(metadata).filter((key) => key in project)).toEqual([]);
  const [command = "", words = ""] = Object.values(project.parts)[0]?.["override-build"].split(" -- ") ?? [];
  expect(command).toBe("npm run --silent pack");
  const environment: Record<string, string> = {
    CRAFT_ARCH_BUILD_FOR: "arm64",
    CRAFT_PART_INSTALL: "/install",
  };
  const given = words
    .split(" ")
    .map((word) => word.replace(/^"\$(\w+)"$/, (_, name: string) => environment[name] ?? ""));
  expect(readOptions(given)).toMatchObject({ architectures: ["arm64"], stage: "/install" });
});

test("the icon is a drawing of 100 by 100 without text", async () => {
  const icon = await read("icon.svg");
  expect(icon).toMatch(
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="100" height="100" viewBox="0 0 100 100">/,
  );
  expect(icon).not.toMatch(/<text|<image|<script|href=/);
});

test("dispatch is an executable for /bin/sh: Ubuntu has no node, and the agent needs the x bit", async () => {
  await access(new URL("dispatch", REPOSITORY), constants.X_OK);
  const text = await read("dispatch");
  expect(text).toMatch(/^#!\/bin\/sh\n/);
  expect(text).toContain("./node/bin/node");
});
