import { readdir, readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { expect, it } from "vitest";
import type { ConfigValue } from "../../../src/juju/index.ts";
import { HIDDEN, OPTION_ROWS, type BadValue } from "../../support/bad-options.ts";
import { NOBLE } from "../../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../../support/charm-requirers.ts";
import { deployBuilder, type Deployed } from "../../support/charm.ts";

const { options: OPTIONS } = load(
  await readFile(new URL("../../../config.yaml", import.meta.url), "utf8"),
) as {
  options: Readonly<Record<string, { readonly type: string; readonly default?: string | number | boolean }>>;
};
const MISSING = ": a build needs a project to build in";

/** What Juju lets through: values of the option's type, where secrets are URIs and flags true or false. */
function reachesCharm(option: string, value: ConfigValue): boolean {
  const type = OPTIONS[option]?.type;
  if (type === "secret" || type === "boolean") return false;
  return type === "int" ? Number.isInteger(value) : typeof value === "string";
}

/** The n-th bad value of every option, where it has one. */
function round(n: number): readonly (readonly [string, BadValue])[] {
  return Object.entries(OPTION_ROWS).flatMap(([option, { bad }]) => {
    const reaching = bad.filter(
      ({ value, sentence }) => reachesCharm(option, value) && !sentence.endsWith(MISSING),
    );
    const one = reaching[n];
    return one === undefined ? [] : [[option, one] as const];
  });
}

/** The deployment's config: defaults of config.yaml and what was set. */
function configOf(charm: Deployed): Readonly<Record<string, string | number | boolean>> {
  const defaults = Object.entries(OPTIONS).flatMap(([option, { default: value }]) =>
    value === undefined ? [] : [[option, value] as const],
  );
  return { ...Object.fromEntries(defaults), ...charm.config };
}

/** What the charm keeps on the machine about builds and clouds, and what it published. */
async function traces(charm: Deployed, bag: () => Readonly<Record<string, string>>): Promise<unknown> {
  return {
    journal: (await readdir(charm.paths.builds, { recursive: true })).toSorted(),
    clouds: await readFile(charm.paths.cloudsFile, "utf8"),
    published: await readFile(charm.paths.publishedFile, "utf8"),
    schedule: await readFile(charm.paths.cronFile, "utf8"),
    bag: bag(),
  };
}

it(
  "every bad value of every option blocks with its sentence, and touches neither builds nor databags",
  { timeout: 120_000 },
  async () => {
    await using charm = await deployBuilder();
    const credentials = credentialsOf(charm, "runner-a");
    const runner = await relate(charm, "runner-a", credentials);
    await charm.builders.end((await charm.builds())[0], { outcome: "done" });
    await charm.wake();
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(credentials)]: "image-1" } }],
    });
    await charm.wake();
    const good = charm.status();
    expect(good).toMatch(/^active noble-x64 .*published to 1 of 1 relations/);
    const before = await traces(charm, runner.bag);
    const from = charm.mark();
    const complete = configOf(charm);

    const rounds = Math.max(...Object.values(OPTION_ROWS).map(({ bad }) => bad.length));
    const current = new Map<string, string>();
    let refused = 0;
    for (let n = 0; n < rounds; n += 1) {
      const values = round(n);
      if (values.length === 0) continue;
      const logged = charm.log().length;
      await charm.configure(Object.fromEntries(values.map(([option, { value }]) => [option, value])));
      for (const [option, { sentence }] of values) current.set(option, sentence);
      const log = charm.log().slice(logged).join("\n");
      // a log line quotes a sentence as JSON does
      for (const sentence of current.values()) expect(log).toContain(JSON.stringify(sentence));
      const others = `(and ${current.size - 1} more, see juju debug-log)`;
      expect(Array.from(current.values(), (sentence) => `blocked ${sentence} ${others}`)).toContain(
        charm.status(),
      );
      expect(`${log}\n${charm.status()}`).not.toContain(HIDDEN);
      refused += values.length;
    }
    expect(refused).toBeGreaterThan(200);

    await charm.configure({ ...complete, "openstack-project-name": " ", "openstack-auth-url": "" });
    expect(charm.status()).toBe(
      "blocked set openstack-auth-url, openstack-project-name: a build needs a project to build in",
    );
    expect(await traces(charm, runner.bag)).toEqual(before);
    await charm.configure(complete);
    expect(charm.status()).toBe(good);
    expect(await traces(charm, runner.bag)).toEqual(before);
    expect(charm.calls("relation-set", from)).toEqual([]);
    expect(charm.failures()).toEqual([]);
  },
);
