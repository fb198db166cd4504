/** Examples name options, actions and endpoints that the charm declares. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { parseConfig } from "../../../src/charm/config.ts";
import { parseExpression } from "../../../src/charm/cron-expression.ts";
import { body, readModule } from "../../support/hcl.ts";

const REPOSITORY = new URL("../../../", import.meta.url);
const EXAMPLES = new URL("examples/", REPOSITORY);
const read = async (path: string): Promise<string> => await readFile(new URL(path, REPOSITORY), "utf8");

interface Option {
  readonly type: string;
  readonly default?: string | number | boolean;
}
const { options } = load(await read("config.yaml")) as { readonly options: Readonly<Record<string, Option>> };
const actions = load(await read("actions.yaml")) as Readonly<
  Record<string, { readonly params?: Readonly<Record<string, unknown>> }>
>;
const metadata = load(await read("metadata.yaml")) as {
  readonly name: string;
  readonly provides: Readonly<Record<string, { readonly interface: string }>>;
};

const files = (await readdir(EXAMPLES, { recursive: true })).filter((name) => /\.(sh|md)$/.test(name));
const texts = new Map(
  await Promise.all(
    files.map(async (name) => [name, (await read(`examples/${name}`)).replaceAll(/\\\n\s*/g, "")] as const),
  ),
);
/** `name=value` words of a command, quotes taken off. */
const pairsOf = (words: string): readonly (readonly [string, string])[] =>
  [...words.matchAll(/(?<=^|\s)([\w-]+)=("[^"]*"|\S*)/g)].map(([, name = "", value = ""]) => [
    name,
    value.replaceAll('"', ""),
  ]);

const commands = [...texts].flatMap(([file, text]) =>
  [...text.matchAll(/^\s*(?:\w+=\$\()?juju (.*)$/gm)].map(([, words = ""]) => [file, words] as const),
);

test("there are commands to look at", () => {
  expect(commands.length).toBeGreaterThan(10);
});

test.each(
  commands.filter(([, words]) => /^(config image-builder|deploy github-runner-image-builder)/.test(words)),
)("%s sets options that there are: juju %s", (_file, words) => {
  // a deployment has its options behind --config, and constraints look alike
  const given = words.startsWith("deploy")
    ? [...words.matchAll(/--config (\S+)/g)].flatMap(([, pair = ""]) => pairsOf(pair))
    : pairsOf(words);
  expect(given).not.toEqual([]);
  expect(given.map(([name]) => name).filter((name) => !Object.hasOwn(options, name))).toEqual([]);
});

test.each(commands.filter(([, words]) => words.startsWith("run image-builder/")))(
  "%s runs an action that there is: juju %s",
  (_file, words) => {
    const [, , action = "", ...parameters] = words.split(/\s+/);
    const given = pairsOf(parameters.filter((word) => !word.startsWith("--")).join(" "));
    const known = Object.keys(actions[action]?.params ?? {});
    expect(actions).toHaveProperty([action]);
    expect(given.map(([name]) => name).filter((name) => !known.includes(name))).toEqual([]);
  },
);

test.each(commands.filter(([, words]) => words.startsWith("integrate ")))(
  "%s relates an endpoint that there is: juju %s",
  (_file, words) => {
    const endpoint = /image-builder:([\w-]+)/.exec(words)?.[1] ?? "";
    expect(metadata.provides[endpoint]?.interface).toBe("github_runner_image_v0");
  },
);

test.each(files.filter((name) => name.endsWith(".sh")))("a shell understands %s", async (name) => {
  await promisify(execFile)("sh", ["-n", fileURLToPath(new URL(name, EXAMPLES))]);
  expect(texts.get(name)).toMatch(/^#!\/bin\/sh\n/);
});

test("the options in Terraform's example are a complete config", async () => {
  const hcl = await readModule(fileURLToPath(new URL("terraform", EXAMPLES)));
  const given = body(hcl, "module", "image_builder")["config"] as Readonly<Record<string, string>>;
  const values = Object.entries(given).map(([name, text]) => {
    const type = options[name]?.type;
    if (type === "int") return [name, Number(text)];
    if (type === "boolean") return [name, text === "true"];
    // what comes from elsewhere, in a form that the option takes
    if (!text.startsWith("${")) return [name, text];
    if (type === "secret") return [name, "secret:d0a1b2c3d4e5f6g7h8i9"];
    return [name, name.endsWith("-url") ? "https://keystone.example:5000/v3" : "Default"];
  });
  const defaults = Object.entries(options).flatMap(([name, { default: value }]) =>
    value === undefined ? [] : [[name, value]],
  );
  expect(Object.keys(given).filter((name) => !Object.hasOwn(options, name))).toEqual([]);
  const raw = Object.fromEntries([...defaults, ...values]) as Readonly<Record<string, string>>;
  expect(parseConfig(raw, parseExpression(given["schedule"] ?? "", "UTC"))).toMatchObject({
    arch: "x64",
    bases: ["noble"],
    keepRevisions: 3,
  });
});

test("Terraform's example relates runners by our endpoint", async () => {
  const hcl = await readModule(fileURLToPath(new URL("terraform", EXAMPLES)));
  const { application } = body(hcl, "resource", "juju_integration", "runners") as {
    readonly application: readonly { readonly name: string; readonly endpoint: string }[];
  };
  expect(application.map(({ endpoint }) => endpoint)).toEqual([
    "${module.image_builder.provides.github_runner_image_v0}",
    "image",
  ]);
});
