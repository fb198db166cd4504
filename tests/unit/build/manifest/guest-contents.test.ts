import { describe, expect, test } from "vitest";
import { parseGuestContents } from "../../../../src/build/manifest/guest-contents.ts";
import { GUEST_OUTPUT } from "../../../support/guest-contents.ts";

describe("the guest's contents", () => {
  test("are what the script prints", () => {
    const { components, ...rest } = parseGuestContents(GUEST_OUTPUT);
    expect(rest).toEqual({
      release: { id: "ubuntu", version: "24.04", codename: "noble" },
      serial: "20261120",
      kernel: "6.8.0-88-generic",
      runnerVersion: "2.333.1",
      sections: [
        { name: "hostname", seconds: 0, tries: 1 },
        { name: "packages", seconds: 74, tries: 2 },
      ],
      notRead: [],
    });
    expect(components).toEqual([
      { kind: "deb", name: "dpkg", version: "1.22.6ubuntu6.5", variant: "amd64" },
      { kind: "deb", name: "jq", version: "1.7.1-3ubuntu0.24.04.1", variant: "amd64" },
      { kind: "deb", name: "libc6", version: "2.39-0ubuntu8.6", variant: "amd64" },
      { kind: "deb", name: "libstdc++6", version: "14.2.0-4ubuntu2~24.04", variant: "amd64" },
      { kind: "deb", name: "python3-yaml", version: "6.0.1-2build2", variant: "all" },
      { kind: "snap", name: "aproxy", version: "0.2.4 (10)", variant: "latest/edge" },
      { kind: "snap", name: "juju", version: "3.6.9 (32000)", variant: "latest/stable" },
      { kind: "npm", name: "@scope/tool", version: "2.0.0", variant: "" },
      { kind: "npm", name: "yarn", version: "1.22.22", variant: "" },
      { kind: "pip", name: "PyYAML", version: "6.0.1", variant: "" },
      { kind: "pip", name: "cloud_init", version: "25.2", variant: "" },
    ]);
  });

  test("name what could not be read instead of hiding it", () => {
    const output = GUEST_OUTPUT.replace(/@pip\n.*\n/, "!pip: No module named pip\n").replace(
      '"name": "lib",',
      "npm ERR!",
    );
    const { notRead, components } = parseGuestContents(output);
    expect(notRead).toEqual(["pip: No module named pip", expect.stringMatching(/^npm: .*JSON/)]);
    expect(components.filter(({ kind }) => kind === "npm" || kind === "pip")).toEqual([]);
  });

  test("have no serial and nothing of tools that are not there", () => {
    const output = GUEST_OUTPUT.replace("@serial\n20261120\n", "@serial\n").replace(/@snap[^@]*/, "");
    const { serial, components } = parseGuestContents(output);
    expect(serial).toBeNull();
    expect(components.some(({ kind }) => kind === "snap")).toBe(false);
  });

  test("have packages that are on hold or not configured, and none that were removed", () => {
    const output = GUEST_OUTPUT.replace("ii \tjq", "hi \tjq").replace("ii \tlibc6", "iUR\tlibc6");
    const names = parseGuestContents(output).components.map(({ name }) => name);
    expect(names).toEqual(parseGuestContents(GUEST_OUTPUT).components.map(({ name }) => name));
    expect(names).not.toContain("linux-image-6.8.0-31-generic");
  });

  test("take the running kernel where /boot has none with a version", () => {
    expect(parseGuestContents(GUEST_OUTPUT.replace("6.8.0-88-generic\n", "")).kernel).toBe(
      "6.8.0-86-generic",
    );
  });

  test.each([
    ["packages", /ii .*\n/g, "cannot read the image's packages: the guest names none"],
    ["a runner", /2\.333\.1\n/, "cannot read the runner's version in the guest"],
  ])("are refused without %s", (_what, part, sentence) => {
    expect(() => parseGuestContents(GUEST_OUTPUT.replaceAll(new RegExp(part, "g"), ""))).toThrow(sentence);
  });
});
