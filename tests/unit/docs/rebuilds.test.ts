import { expect, test } from "vitest";
import { inputsDigest } from "../../../src/charm/build-request.ts";
import type { JujuContext, RawConfig } from "../../../src/juju/index.ts";
import { configWith, factsWith, RAW_CONFIG } from "../../support/facts.ts";
import { readDeclared } from "../../support/docs/juju-syntax.ts";
import { readPage } from "../../support/docs/pages.ts";

/** Where another text of any kind would be refused; all other options take their name for a value, numbers one more. */
const OTHER_VALUES: RawConfig = {
  architecture: "arm64",
  "base-image": "jammy",
  "base-image-serial": "20261120",
  "ca-certificates": RAW_CONFIG["ca-certificates"] ?? "",
  "notify-url": "secret:cq5k0abcq5k0abcq5k0b",
  "openstack-password-secret": "secret:cq5k0abcq5k0abcq5k0b",
  "runner-version": "2.330.0",
  schedule: "",
  "script-secret": "name=value",
  "script-sha256": "0".repeat(64),
  "time-limits": "script=2h",
};
const SCRIPT = { "script-url": "https://files.example/script" };
const context = { proxies: { http: null, https: null, no: null } } as JujuContext;
const digestWith = (changes: RawConfig): string =>
  inputsDigest(factsWith([], configWith({ ...SCRIPT, ...changes })), context);

function otherValue(option: string): string | number | boolean {
  const value = OTHER_VALUES[option] ?? RAW_CONFIG[option] ?? "";
  if (Object.hasOwn(OTHER_VALUES, option)) return value;
  if (typeof value === "string")
    return /-url$|-mirror$/.test(option) ? `https://${option}.example` : `a${option}`.replaceAll("-", "");
  return typeof value === "number" ? value + 1 : !value;
}

test("the page on schedules names the options whose change starts a build, and no other", async () => {
  const { text } = await readPage("docs/how-to/schedule-builds.md");
  const [, list = ""] = /^- A changed option ([\s\S]*?)\n- /m.exec(text) ?? [];
  const named = Array.from(list.matchAll(/`([^`]+)`/g), ([, option = ""]) => option);
  // a secret's content counts, not its address
  const options = Object.keys((await readDeclared()).options).filter(
    (option) => option !== "script-secret-id",
  );
  const before = digestWith({});
  const counted = options.filter((option) => digestWith({ [option]: otherValue(option) }) !== before);
  expect(named.toSorted()).toEqual(counted.toSorted());
});
