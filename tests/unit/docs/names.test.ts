import { describe, expect, test } from "vitest";
import * as names from "../../../src/build/names.ts";
import type { ImageSpec, Owner } from "../../../src/build/types.ts";
import { readPage, tableOf } from "../../support/docs/pages.ts";

const page = await readPage("docs/reference/names.md");
const owner: Owner = { modelUuid: "m", application: "<app>", unit: "<app>/<n>" };
const spec = { base: "<base>", arch: "<arch>" } as unknown as ImageSpec;

describe("names and tags in the clouds", () => {
  test("the page has every name, and no other", () => {
    const form = (name: string): string => name.replace(names.ownerHash(owner), "<hash>");
    const made = [
      names.runnerImageName(owner, spec),
      names.baseImageName(owner, spec),
      names.builderName(owner, spec, "<build id>"),
      names.keyPairName(owner, spec, "<build id>"),
      names.securityGroupName(owner),
    ];
    expect(tableOf(page, "thing").map(([, , name]) => name)).toEqual(made.map(form));
  });

  test("the page has every tag, and no other", () => {
    const tags = tableOf(page, "tag").map(([tag = ""]) => tag);
    expect(tags.toSorted()).toEqual(Object.values(names.TAG).toSorted());
  });

  test("the page has every role, and no other", () => {
    const roles = { builder: 0, base: 0, snapshot: 0, upload: 0, runner: 0 } satisfies Record<names.Role, 0>;
    expect(tableOf(page, "role").map(([role]) => role)).toEqual(Object.keys(roles));
  });
});
