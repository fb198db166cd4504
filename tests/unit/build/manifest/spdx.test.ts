import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../../src/base/errors.ts";
import { parseGuestContents } from "../../../../src/build/manifest/guest-contents.ts";
import { parseSpdx, renderSpdx } from "../../../../src/build/manifest/spdx.ts";
import { GUEST_OUTPUT } from "../../../support/guest-contents.ts";

const contents = parseGuestContents(GUEST_OUTPUT);
const facts = {
  buildId: "20261124t021235666-528e",
  image: "noble-x64",
  modelUuid: "2d3c1a52-5f0e-4bb1-8a5a-0f6e0a6f1d11",
  created: new Date("2026-11-24T02:12:35.666Z"),
  serial: "20261120",
  baseImageSha256: "ab".repeat(32),
  recipeDigest: "cd".repeat(32),
};
interface Package {
  readonly SPDXID: string;
  readonly name: string;
  readonly externalRefs?: readonly { readonly referenceLocator: string }[];
  readonly annotations?: readonly { readonly comment: string }[];
}
const document = JSON.parse(renderSpdx(contents, facts)) as {
  readonly packages: readonly Package[];
  readonly relationships: readonly { readonly relatedSpdxElement: string }[];
};

describe("the SPDX document", () => {
  test("has what SPDX 2.3 asks of every document", () => {
    expect(document).toMatchObject({
      spdxVersion: "SPDX-2.3",
      dataLicense: "CC0-1.0",
      SPDXID: "SPDXRef-DOCUMENT",
      name: "noble-x64 20261124t021235666-528e",
      documentNamespace:
        "urn:github-runner-image-builder:2d3c1a52-5f0e-4bb1-8a5a-0f6e0a6f1d11:20261124t021235666-528e:noble-x64",
      creationInfo: {
        created: "2026-11-24T02:12:35Z",
        creators: ["Tool: github-runner-image-builder"],
      },
    });
    const ids = document.packages.map(({ SPDXID }) => SPDXID);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
    expect(document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement)).toEqual(ids);
    for (const one of document.packages) expect(one).toMatchObject({ downloadLocation: "NOASSERTION" });
  });

  test("names each component by its package URL", () => {
    const urls = document.packages.flatMap(({ externalRefs = [] }) =>
      externalRefs.map(({ referenceLocator }) => referenceLocator),
    );
    expect(urls).toEqual([
      "pkg:generic/image/ubuntu@24.04",
      `pkg:generic/image/base%20image@20261120%20sha256%3A${facts.baseImageSha256}`,
      "pkg:generic/image/kernel@6.8.0-88-generic",
      "pkg:github/actions/runner@v2.333.1",
      `pkg:generic/image/recipe@sha256%3A${facts.recipeDigest}`,
      "pkg:deb/ubuntu/dpkg@1.22.6ubuntu6.5?arch=amd64&distro=ubuntu-24.04",
      "pkg:deb/ubuntu/jq@1.7.1-3ubuntu0.24.04.1?arch=amd64&distro=ubuntu-24.04",
      "pkg:deb/ubuntu/libc6@2.39-0ubuntu8.6?arch=amd64&distro=ubuntu-24.04",
      "pkg:deb/ubuntu/libstdc%2B%2B6@14.2.0-4ubuntu2~24.04?arch=amd64&distro=ubuntu-24.04",
      "pkg:deb/ubuntu/python3-yaml@6.0.1-2build2?arch=all&distro=ubuntu-24.04",
      "pkg:generic/snap/aproxy@0.2.4%20(10)",
      "pkg:generic/snap/juju@3.6.9%20(32000)",
      "pkg:npm/%40scope/tool@2.0.0",
      "pkg:npm/yarn@1.22.22",
      "pkg:pypi/pyyaml@6.0.1",
      "pkg:pypi/cloud-init@25.2",
    ]);
  });

  test("tells how long each section took and what could not be read", () => {
    const text = renderSpdx({ ...contents, notRead: ["pip: broken"] }, facts);
    const { packages } = JSON.parse(text) as typeof document;
    expect(packages[0]?.annotations?.map(({ comment }) => comment)).toEqual([
      "section hostname: 0 s, 1 try",
      "section packages: 74 s, 2 tries",
      "not read: pip: broken",
    ]);
  });

  test("is read back to what was written", () => {
    const components = parseSpdx(renderSpdx(contents, facts), "x");
    expect(components.filter(({ kind }) => kind !== "image")).toEqual(contents.components);
    expect(components.filter(({ kind }) => kind === "image").map(({ name }) => name)).toEqual([
      "ubuntu",
      "base image",
      "kernel",
      "actions-runner",
      "recipe",
    ]);
  });

  test.each([
    ["not JSON", "{", "m.json is not JSON"],
    ["another document", '{"spdxVersion":"SPDX-2.2"}', "m.json is no manifest of an image (SPDX 2.3)"],
  ])("is refused when it is %s", (_what, text, sentence) => {
    expect(() => parseSpdx(text, "m.json")).toThrow(new ConfigError([sentence]));
  });
});
