import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { body, readHcl, readModule } from "../../support/hcl.ts";

const REPOSITORY = new URL("../../../", import.meta.url);
const MODULE = fileURLToPath(new URL("terraform/charm", REPOSITORY));
const read = async (path: string): Promise<string> => await readFile(new URL(path, REPOSITORY), "utf8");

interface Endpoints {
  readonly [role: string]: Readonly<Record<string, { readonly interface: string }>> | undefined;
}

const metadata = load(await read("metadata.yaml")) as Endpoints & { readonly name: string };
const hcl = await readModule(MODULE);
/** Endpoints of a role by their interfaces, as the module's outputs have them. */
const byInterface = (role: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(metadata[role] ?? {}).map(([endpoint, { interface: name }]) => [name, endpoint]),
  );

test("the module has the files that such modules have", async () => {
  expect((await readdir(MODULE, { recursive: true })).toSorted()).toEqual([
    "main.tf",
    "outputs.tf",
    "tests",
    "tests/main.tf",
    "tests/main.tftest.hcl",
    "variables.tf",
    "versions.tf",
  ]);
});

test.each([
  ["app_name", "${string}", metadata.name],
  ["base", "${string}", "ubuntu@22.04"],
  ["channel", "${string}", "latest/stable"],
  ["config", "${map(string)}", {}],
  ["constraints", "${string}", ""],
  ["model_uuid", "${string}", undefined],
  ["revision", "${number}", null],
  ["units", "${number}", 1],
])("the variable %s is a %s, %j by default", async (name, type, byDefault) => {
  const variable = body(hcl, "variable", name);
  expect(variable["type"]).toBe(type);
  expect(variable["default"]).toEqual(byDefault);
  expect(variable["description"]).toMatch(/\.$/);
  expect(await read("terraform/README.md")).toContain(`| \`${name}\` |`);
});

test("there is no other variable, and the application is made from all of them", () => {
  expect(Object.keys(hcl["variable"] ?? {})).toHaveLength(8);
  expect(hcl["resource"]).toHaveProperty("juju_application");
  const { charm, ...application } = body(hcl, "resource", "juju_application", "image_builder");
  expect(application).toEqual({
    name: "${var.app_name}",
    model_uuid: "${var.model_uuid}",
    config: "${var.config}",
    constraints: "${var.constraints}",
    units: "${var.units}",
  });
  expect(charm).toEqual([
    { name: metadata.name, channel: "${var.channel}", revision: "${var.revision}", base: "${var.base}" },
  ]);
});

test("the default base is one that the charm is packed for", async () => {
  const { platforms } = load(await read("charmcraft.yaml")) as { readonly platforms: object };
  const bases = Object.keys(platforms).map((platform) => platform.replace(/:[^:]*$/, ""));
  expect(bases).toContain(body(hcl, "variable", "base")["default"]);
});

test("the outputs name the charm's endpoints by their interfaces", () => {
  expect(Object.keys(hcl["output"] ?? {}).toSorted()).toEqual(["app_name", "provides", "requires"]);
  expect(body(hcl, "output", "provides")["value"]).toEqual(byInterface("provides"));
  expect(body(hcl, "output", "requires")["value"]).toEqual(byInterface("requires"));
});

test("its own test reads outputs that there are", async () => {
  const calls = await readModule(`${MODULE}/tests`);
  const { source, ...given } = body(calls, "module", "image_builder");
  expect(source).toBe("./..");
  expect(Object.keys(given).filter((name) => !Object.hasOwn(hcl["variable"] ?? {}, name))).toEqual([]);
  const runs = await readHcl(`${MODULE}/tests/main.tftest.hcl`);
  const asserted = [...JSON.stringify(runs["run"]).matchAll(/output\.(\w+)/g)].map(([, name = ""]) => name);
  const outputs = Object.keys(calls["output"] ?? {});
  expect(outputs).toEqual(Object.keys(hcl["output"] ?? {}));
  expect(new Set(asserted)).toEqual(new Set(outputs));
});

test("module, test and example want the same provider", async () => {
  const wanted = { juju: { source: "juju/juju", version: ">= 1.0, < 2.0" } };
  for (const folder of ["terraform/charm", "terraform/charm/tests", "examples/terraform"]) {
    const { terraform } = await readModule(fileURLToPath(new URL(folder, REPOSITORY)));
    expect(Object.values(terraform ?? {})).toEqual([
      expect.objectContaining({ required_version: ">= 1.6.6", required_providers: [wanted] }),
    ]);
  }
});
