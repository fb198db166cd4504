import { readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { parseConfig, parseOptions } from "../../../src/charm/config.ts";
import type { RawConfig } from "../../../src/juju/index.ts";
import { configWith, RAW_CONFIG } from "../../support/facts.ts";

function problemsOf(changes: RawConfig): readonly string[] {
  const config = parseConfig({ ...RAW_CONFIG, ...changes }, null);
  return config instanceof ConfigError ? config.problems : [];
}

describe("parseConfig", () => {
  test("takes the defaults of config.yaml with what is required", async () => {
    const yaml = await readFile(new URL("../../../config.yaml", import.meta.url), "utf8");
    const { options } = load(yaml) as { options: Record<string, { default?: string | number }> };
    const defaults = Object.entries(options).flatMap(([name, option]) =>
      option.default === undefined ? [] : [[name, option.default] as const],
    );
    // the fixture is what Juju would give
    const required = Object.fromEntries(
      Object.entries(RAW_CONFIG).filter(([name]) => /^(openstack-|architecture)/.test(name)),
    );
    expect({ ...Object.fromEntries(defaults), ...required }).toEqual(RAW_CONFIG);
    expect(configWith()).toEqual({
      arch: "x64",
      bases: ["noble"],
      flavor: "",
      network: "",
      timing: { kind: "interval", hours: 6 },
      keepRevisions: 5,
      removeDepartedImages: false,
      cloud: {
        authUrl: "https://keystone.example:5000/v3",
        projectName: "build-project",
        projectDomainName: "Default",
        username: "builder",
        userDomainName: "Default",
        region: null,
        passwordSecret: "secret:cq5k0abc",
      },
      runnerVersion: "latest",
      runnerMirror: "https://github.com/canonical/github-actions-runner/releases",
      baseImageMirror: "https://cloud-images.ubuntu.com",
      aptMirror: "",
      packages: [],
      snaps: ["aproxy=latest/edge", "opentelemetry-collector"],
      npmPackages: ["yarn"],
      script: null,
    });
  });

  test("trims what operators type, and splits lists", () => {
    expect(
      configWith({
        architecture: " AMD64 ",
        "base-image": " jammy, 24.04 ,,noble",
        "build-flavor": " m1.large ",
        "apt-packages": "zsh, -gh ,-*, libstdc++6",
        snaps: "go=1.22/stable:classic, yq:classic",
        "npm-packages": "@scope/tool@^1.2, yarn",
        "openstack-region": " west ",
      }),
    ).toMatchObject({
      arch: "x64",
      bases: ["jammy", "noble"],
      flavor: "m1.large",
      packages: ["zsh", "-gh", "-*", "libstdc++6"],
      snaps: ["go=1.22/stable:classic", "yq:classic"],
      npmPackages: ["@scope/tool@^1.2", "yarn"],
      cloud: { region: "west" },
    });
  });

  test.each<[string, string | number | boolean, string]>([
    ["architecture", "", "architecture: set it to one of x64, arm64, s390x, ppc64le, arm"],
    ["architecture", "riscv64", "architecture: set it to one of x64, arm64, s390x, ppc64le, arm"],
    ["architecture", "constructor", "architecture: set it to one of x64, arm64, s390x, ppc64le, arm"],
    ["base-image", "", "base-image: set it to a comma-separated list of focal, jammy, noble, resolute"],
    [
      "base-image",
      "noble,trusty",
      "base-image: set it to a comma-separated list of focal, jammy, noble, resolute",
    ],
    ["build-interval", 0, "build-interval: set it to a whole number from 1 to 24"],
    ["build-interval", 25, "build-interval: set it to a whole number from 1 to 24"],
    ["build-interval", 1.5, "build-interval: set it to a whole number from 1 to 24"],
    ["build-interval", "soon", "build-interval: set it to a whole number from 1 to 24"],
    ["revision-history-limit", 1, "revision-history-limit: set it to a whole number from 2 to 99"],
    ["revision-history-limit", 100, "revision-history-limit: set it to a whole number from 2 to 99"],
    ["openstack-auth-url", "keystone.example", "openstack-auth-url: set it to an http or https address"],
    ["openstack-auth-url", "ftp://k.example/", "openstack-auth-url: set it to an http or https address"],
    ["openstack-auth-url", "http://", "openstack-auth-url: set it to an http or https address"],
    [
      "openstack-password-secret",
      "hunter2",
      "openstack-password-secret: set it to the URI of a Juju secret, such as secret:cq5k...",
    ],
    ["runner-version", "v2.330.0", "runner-version: leave it empty or set it to a version such as 2.330.0"],
    ["runner-version", "latest", "runner-version: leave it empty or set it to a version such as 2.330.0"],
    ["runner-mirror", "", "runner-mirror: set it to an http or https address"],
    ["base-image-mirror", "a mirror", "base-image-mirror: set it to an http or https address"],
    ["apt-mirror", "http://a b/", "apt-mirror: set it to an http or https address"],
    ["script-url", "file:///etc/passwd", "script-url: set it to an http or https address"],
    [
      "script-secret-id",
      "cq5k",
      "script-secret-id: set it to the URI of a Juju secret, such as secret:cq5k...",
    ],
    [
      "script-secret",
      "no value",
      "script-secret: write it as name=value name2=value2, with names of letters, digits and _",
    ],
    [
      "script-secret",
      "1A=x",
      "script-secret: write it as name=value name2=value2, with names of letters, digits and _",
    ],
    [
      "apt-packages",
      "Zsh",
      'apt-packages: "Zsh" is not the name of a Debian package (or -name to remove one)',
    ],
    [
      "apt-packages",
      "--allow=x",
      'apt-packages: "--allow=x" is not the name of a Debian package (or -name to remove one)',
    ],
    [
      "apt-packages",
      "a;id",
      'apt-packages: "a;id" is not the name of a Debian package (or -name to remove one)',
    ],
    ["snaps", "yq:strict", 'snaps: "yq:strict" is not name[=channel][:classic]'],
    ["snaps", "$(id)", 'snaps: "$(id)" is not name[=channel][:classic]'],
    ["snaps", "-*", 'snaps: "-*" is not name[=channel][:classic]'],
    ["npm-packages", "a b", 'npm-packages: "a b" is not the name of an npm package'],
    ["npm-packages", "-*", 'npm-packages: "-*" is not the name of an npm package'],
    ["npm-packages", "--force", 'npm-packages: "--force" is not the name of an npm package'],
  ])("refuses %s = %j with a sentence that names it", (option, value, problem) => {
    expect(new Set(problemsOf({ [option]: value }))).toEqual(new Set([problem]));
  });

  test("tells all problems at once", () => {
    const problems = problemsOf({ architecture: "x", "base-image": "x", "build-interval": 0, snaps: "A,B" });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual([
      "architecture",
      "base-image",
      "build-interval",
      "snaps",
      "snaps",
    ]);
  });

  test("names all credentials that are missing in one sentence", () => {
    const missing = Object.fromEntries(
      Object.entries(RAW_CONFIG).filter(([name]) => !name.startsWith("openstack-")),
    );
    const config = parseConfig(missing, null);
    expect(config).toMatchObject({
      problems: [
        "set openstack-auth-url, openstack-user-name, openstack-user-domain-name, openstack-project-name, " +
          "openstack-project-domain-name, openstack-password-secret: a build needs a project to build in",
      ],
    });
  });

  test("tells a missing option from a bad one when Juju gives nothing at all", () => {
    const config = parseConfig({}, null);
    const problems = config instanceof ConfigError ? config.problems : [];
    expect(problems).toHaveLength(7);
  });

  test("quotes a long item only in part", () => {
    const [problem] = problemsOf({ "apt-packages": `A${"x".repeat(500)}` });
    expect(problem?.length).toBeLessThan(130);
  });

  test("does not quote a secret that was put in the wrong way", () => {
    expect(
      problemsOf({ "openstack-password-secret": "hunter2", "script-secret": "hunter2" }).join(),
    ).not.toContain("hunter2");
  });
});

describe("the script's secrets", () => {
  const url = "https://x.example/setup.sh";

  test("are variables, where values may hold an equals sign or be empty", () => {
    expect(configWith({ "script-url": url, "script-secret": "A=1  _B2=x=y C=" }).script).toEqual({
      url,
      secret: { A: "1", _B2: "x=y", C: "" },
    });
  });

  test("are a Juju secret, or none", () => {
    expect(configWith({ "script-url": url, "script-secret-id": "secret:abc" }).script).toEqual({
      url,
      secret: "secret:abc",
    });
    expect(configWith({ "script-url": url }).script).toEqual({ url, secret: null });
  });

  test("are given in one way only", () => {
    expect(
      problemsOf({ "script-url": url, "script-secret-id": "secret:abc", "script-secret": "A=1" }),
    ).toEqual(["script-secret, script-secret-id: set only one of them"]);
  });
});

describe("the option schedule", () => {
  const parsed = async (changes: RawConfig): ReturnType<typeof parseOptions> =>
    await parseOptions({ ...RAW_CONFIG, ...changes });

  test.each(["", "  "])("leaves the interval where it is %j", async (schedule) => {
    expect(await parsed({ schedule, "build-interval": 5 })).toEqual(configWith({ "build-interval": 5 }));
  });

  test("takes the interval's place, in the machine's time zone", async () => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    expect(await parsed({ schedule: " 30 3  * * MON " })).toMatchObject({
      timing: { kind: "cron", expression: "30 3 * * MON", minutes: [30], weekdays: [1], zone: timeZone },
    });
  });

  test("is told with all other problems when it is wrong", async () => {
    expect(await parsed({ schedule: "0 25 * * *", "build-interval": 0 })).toMatchObject({
      problems: [
        "build-interval: set it to a whole number from 1 to 24",
        'schedule: "25" is no hour that cron understands',
      ],
    });
  });
});
