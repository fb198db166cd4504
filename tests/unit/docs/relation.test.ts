import { describe, expect, test } from "vitest";
import { ARCHITECTURES, BASES } from "../../../src/build/types.ts";
import { CREDENTIAL_KEYS, formatImages, publicationIn } from "../../../src/charm/image-relation.ts";
import { fencesOf, readPage, tableOf } from "../../support/docs/pages.ts";

const page = await readPage("docs/reference/relation.md");

describe("the relation's page", () => {
  test("has every key of both sides, and no other", () => {
    const keys = tableOf(page, "key").map(([key]) => key);
    const ours = Object.keys(publicationIn({ id: "", tags: "", images: "" }) ?? {});
    expect(keys).toEqual([...CREDENTIAL_KEYS, ...ours]);
  });

  test("shows a databag byte by byte as the charm writes it", () => {
    const [example = ""] = fencesOf(page, "json");
    const { id, tags, images } = JSON.parse(example) as Readonly<Record<string, string>>;
    expect(images).toBe(formatImages(JSON.parse(images ?? "") as { id: string; tags: string }[]));
    expect(images?.startsWith(formatImages([{ id: id ?? "", tags: tags ?? "" }]).slice(0, -1))).toBe(true);
  });

  test.each([...ARCHITECTURES, ...BASES])("says that %s may be a label", (label) => {
    expect(page.text).toContain(`\`${label}\``);
  });
});
