import { describe, expect, test } from "vitest";
import { packagesFor } from "../../../../src/build/cloud-init/packages.ts";

const DEFAULTS = [
  "build-essential",
  "docker.io",
  "gh",
  "jq",
  "nftables",
  "npm",
  "pkg-config",
  "python-is-python3",
  "python3-dev",
  "python3-pip",
  "shellcheck",
  "socat",
  "tar",
  "time",
  "unzip",
  "wget",
];

describe("packagesFor", () => {
  test.each([
    ["noble", "x64", ["cargo", "rustc"]],
    ["jammy", "arm64", ["cargo", "rustc"]],
    ["focal", "x64", ["cargo", "rustc"]],
    ["noble", "s390x", ["cargo", "rustc", "dotnet-runtime-8.0"]],
    ["noble", "ppc64le", ["cargo", "rustc", "dotnet-runtime-8.0"]],
    ["noble", "arm", ["rustup", "docker-buildx", "libc6:armhf", "libatomic1:armhf", "libicu74:armhf"]],
    ["resolute", "arm", ["rustup", "docker-buildx", "libc6:armhf", "libatomic1:armhf", "libicu78:armhf"]],
  ] as const)("gives %s on %s the defaults and its own", (base, arch, own) => {
    expect(packagesFor({ base, arch }, [])).toEqual([...DEFAULTS, ...own]);
  });

  test.each(["focal", "jammy"] as const)("refuses 32-bit ARM on %s, which lacks its libraries", (base) => {
    expect(() => packagesFor({ base, arch: "arm" }, [])).toThrow(
      `cannot make ${base}-arm: arm needs noble or resolute`,
    );
  });

  test.each(["s390x", "ppc64le"] as const)(
    "leaves gh out on focal and %s, for which nobody packages it",
    (arch) => {
      expect(packagesFor({ base: "focal", arch }, [])).not.toContain("gh");
      expect(packagesFor({ base: "focal", arch }, ["gh"])).toContain("gh");
      expect(packagesFor({ base: "jammy", arch }, [])).toContain("gh");
    },
  );

  const spec = { base: "noble", arch: "x64" } as const;

  test("adds behind the defaults, none twice", () => {
    expect(packagesFor(spec, ["zsh", "jq", "zsh"])).toEqual([...DEFAULTS, "cargo", "rustc", "zsh"]);
  });

  test("takes out what is asked for, and nothing for a name that is no default", () => {
    const packages = packagesFor(spec, ["-gh", "-cargo", "-zsh"]);
    expect(packages).toEqual([...DEFAULTS.filter((name) => name !== "gh"), "rustc"]);
  });

  test("takes out all defaults, wherever the wildcard stands", () => {
    expect(packagesFor(spec, ["zsh", "-*", "jq"])).toEqual(["zsh", "jq"]);
    expect(packagesFor(spec, ["-*"])).toEqual([]);
  });
});
