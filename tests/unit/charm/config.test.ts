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
    const { options } = load(yaml) as { options: Record<string, { default?: string | number | boolean }> };
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
      caCertificates: "",
      limits: {},
      keepRevisions: 5,
      removeDepartedImages: false,
      rebuildOnRelease: false,
      metricsPort: 29_100,
      notifySecret: "",
      cloud: {
        authUrl: "https://keystone.example:5000/v3",
        projectName: "build-project",
        projectDomainName: "Default",
        username: "builder",
        userDomainName: "Default",
        region: null,
        passwordSecret: "secret:cq5k0abcq5k0abcq5k0a",
      },
      runnerVersion: "latest",
      runnerMirror: "https://github.com/canonical/github-actions-runner/releases",
      baseImageMirror: "https://cloud-images.ubuntu.com",
      baseImageSerial: "",
      requireSignature: false,
      parallelImages: 2,
      aptMirror: "",
      yqMirror: "https://github.com/mikefarah/yq/releases",
      packages: [],
      snaps: ["aproxy=latest/edge", "opentelemetry-collector", "juju", "microk8s:classic"],
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
        "npm-packages": "@scope/tool@^1.2, yarn,yarn",
        "apt-mirror": "HTTP://Mirror.example/ubuntu",
        "yq-mirror": "",
        "openstack-region": " west ",
      }),
    ).toMatchObject({
      arch: "x64",
      bases: ["jammy", "noble"],
      flavor: "m1.large",
      packages: ["zsh", "-gh", "-*", "libstdc++6"],
      snaps: ["go=1.22/stable:classic", "yq:classic"],
      npmPackages: ["@scope/tool@^1.2", "yarn"],
      aptMirror: "http://Mirror.example/ubuntu",
      yqMirror: "",
      cloud: { region: "west" },
    });
  });

  test("refuses a release that cannot be built for 32-bit ARM, before an hour of building shows it", () => {
    const problem = "base-image: set it to noble or resolute: older releases cannot be built for arm";
    expect(problemsOf({ architecture: "armhf", "base-image": "noble,22.04" })).toEqual([problem]);
    expect(problemsOf({ architecture: "armhf", "base-image": "noble,26.04" })).toEqual([]);
    expect(problemsOf({ architecture: "arm64", "base-image": "focal,22.04" })).toEqual([]);
  });

  test("tells all problems at once", () => {
    const problems = problemsOf({ architecture: "x", "base-image": "x", "build-interval": 0, snaps: "A,B" });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual([
      "architecture",
      "base-image",
      "build-interval",
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
    expect(problems).toHaveLength(12);
  });
});

describe("the script's secrets", () => {
  const url = "https://x.example/setup.sh";

  test("are variables, where values may hold an equals sign or be empty", () => {
    expect(configWith({ "script-url": url, "script-secret": "A=1  _B2=x=y C=" }).script).toEqual({
      url,
      sha256: "",
      secret: { A: "1", _B2: "x=y", C: "" },
    });
    const { secret } = configWith({ "script-url": url, "script-secret": "__proto__=x" }).script ?? {};
    expect(Object.entries(secret ?? {})).toEqual([["__proto__", "x"]]);
  });

  test("are a Juju secret, or none", () => {
    expect(
      configWith({ "script-url": url, "script-secret-id": "secret:abcdefghij0123456789" }).script,
    ).toEqual({
      url,
      sha256: "",
      secret: "secret:abcdefghij0123456789",
    });
    const digest = "0AF".padEnd(64, "0");
    expect(configWith({ "script-url": url, "script-sha256": digest }).script).toMatchObject({
      sha256: digest.toLowerCase(),
    });
    expect(configWith({ "script-url": url }).script).toEqual({ url, sha256: "", secret: null });
  });

  test("are given in one way only", () => {
    expect(
      problemsOf({
        "script-url": url,
        "script-secret-id": "secret:abcdefghij0123456789",
        "script-secret": "A=1",
      }),
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
