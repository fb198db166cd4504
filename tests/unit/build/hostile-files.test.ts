import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { readBuild } from "../../../src/build/history.ts";
import { NO_PINS, parsePins } from "../../../src/build/pins.ts";
import { parseOrder, parseRequest } from "../../../src/build/request.ts";
import { takeSecrets } from "../../../src/build/steps/fetch-script.ts";
import { toTexts } from "../../../src/juju/decode.ts";
import { artifactWith, requestWith, writeBuild } from "../../support/builds.ts";

const POISON = '"__proto__": {"poisoned": "x"}, "constructor": {"prototype": {"poisoned": "x"}}';
const LEAVES = '"__proto__": "poisoned", "constructor": "poisoned"';
const PROPERTIES = Object.getOwnPropertyNames(Object.prototype);
const DEPTH = 200_000;
const DEEP = `${'{"a":'.repeat(DEPTH)}1${"}".repeat(DEPTH)}`;

/** `value` as JSON, with `more` as further keys of its outermost object. */
const jsonWith = (value: object, more: string): string => JSON.stringify(value).replace(/^\{/, `{${more}, `);

/** What everybody's objects have beside what they always had. */
function harm(): readonly unknown[] {
  const added = Object.getOwnPropertyNames(Object.prototype).filter((name) => !PROPERTIES.includes(name));
  return [...added, ({} as Record<string, unknown>)["poisoned"]].filter((one) => one !== undefined);
}

describe("keys that are made to harm have no effect", () => {
  test("in a build request, which has no such keys", () => {
    const text = jsonWith(requestWith(), POISON);
    expect(() => parseRequest(text, "request.json")).toThrow(ConfigError);
    expect(parseOrder(text)).toMatchObject({ id: requestWith().id });
    const recipe = text.replace('"recipe":{', `"recipe":{${POISON},`);
    expect(() => parseRequest(recipe.replace(`${POISON}, `, ""), "request.json")).toThrow(ConfigError);
    expect(harm()).toEqual([]);
  });

  test("in a journal, whose images may be called like a prototype", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hostile-"));
    const build = await writeBuild(folder.path, requestWith());
    const at = "2026-11-23T20:00:00.000Z";
    const targets = { at, event: "targets", image: "__proto__", clouds: ["c"] };
    const lines = [jsonWith({ at, event: "started", process: "1:ended" }, POISON), JSON.stringify(targets)];
    await writeFile(join(build, "journal.jsonl"), `${lines.join("\n")}\n${DEEP}\n`);
    const read = await readBuild(build);
    expect(read).toMatchObject({ startedAt: at, targets: ["c"], state: "interrupted" });
    expect(Object.entries(read?.targetsByImage ?? {})).toEqual([["__proto__", ["c"]]]);
    expect(Array.isArray(Object.getPrototypeOf(read?.targetsByImage))).toBe(false);
    expect(harm()).toEqual([]);
  });

  test("in pins", () => {
    const copies = [artifactWith()];
    const pin = { spec: copies[0]?.spec, buildId: "b", at: "2026-11-23T20:00:00.000Z", copies };
    const pins = { at: pin.at, pins: [pin] };
    const {
      pins: [read, ...more],
    } = parsePins(jsonWith(pins, POISON).replace('"spec"', `${POISON}, "spec"`));
    expect([read?.buildId, more]).toEqual(["b", []]);
    expect(parsePins(DEEP)).toEqual(NO_PINS);
    expect(harm()).toEqual([]);
  });

  test("among the script's secrets, of which such a name is none", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hostile-"));
    const path = join(folder.path, "secrets.json");
    await writeFile(path, `{"script": {${LEAVES}, "TOKEN": "hostile-token"}, "notifyUrl": null, ${POISON}}`);
    const { script } = await takeSecrets(path);
    expect(Object.entries(script)).toEqual([["TOKEN", "hostile-token"]]);
    expect(harm()).toEqual([]);
  });

  test("in a databag", () => {
    const bag = toTexts(JSON.parse(`{${LEAVES}, "id": "x"}`), "relation-get");
    expect(bag["id"]).toBe("x");
    expect(Object.getPrototypeOf(bag)).toBe(Object.prototype);
    expect(harm()).toEqual([]);
  });
});
