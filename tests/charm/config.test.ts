import { readFile, stat } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import { describe, expect, it } from "vitest";
import { deployBuilder } from "../support/charm.ts";

describe("a deployment without config", () => {
  it("is blocked with a sentence that names an option, and the log names all of them", async () => {
    const unset = {
      architecture: null,
      "openstack-auth-url": null,
      "openstack-project-name": null,
      "openstack-project-domain-name": null,
      "openstack-user-name": null,
      "openstack-user-domain-name": null,
      "openstack-password-secret": null,
    };
    await using charm = await deployBuilder({ config: unset });
    expect(charm.status()).toBe(
      "blocked architecture: set it to one of x64, arm64, s390x, ppc64le, arm (and 1 more, see juju debug-log)",
    );
    const log = charm.log().join("\n");
    for (const option of Object.keys(unset)) expect(log).toContain(option);
    expect(charm.failures()).toEqual([]);
    expect(await charm.builds()).toEqual([]);
  });
});

describe("a wrong option", () => {
  it("blocks with its name, fails no hook, and is forgotten once it is right", async () => {
    await using charm = await deployBuilder({ config: { architecture: null } });
    const options: readonly (readonly [Readonly<Record<string, string | number>>, RegExp])[] = [
      [{ architecture: "z80" }, /^blocked architecture: set it to one of x64/],
      [
        { architecture: "arm64", "base-image": "noble,bionic" },
        /^blocked base-image: set it to a comma-separated list/,
      ],
      [
        { "base-image": "24.04", "build-interval": 25 },
        /^blocked build-interval: set it to a whole number from 1 to 24$/,
      ],
      [
        { "build-interval": 6, "revision-history-limit": 1 },
        /^blocked revision-history-limit: .* from 2 to 99$/,
      ],
      [
        { "revision-history-limit": 2, "openstack-auth-url": "keystone:5000" },
        /^blocked openstack-auth-url: set it to an http or https address$/,
      ],
      [
        { "openstack-auth-url": "http://127.0.0.1:1/v3", "runner-version": "v2" },
        /^blocked runner-version: .* such as 2\.330\.0$/,
      ],
      [
        {
          "runner-version": "2.330.0",
          "script-url": "http://script.example/run.sh",
          "script-secret": "no-equals",
        },
        /^blocked script-secret: write it as name=value/,
      ],
      [
        { "script-secret": "", "apt-packages": "jq,rm -rf /" },
        /^blocked apt-packages: "rm -rf \/" is not the name/,
      ],
    ];
    for (const [values, status] of options) {
      await charm.configure(values);
      expect(charm.status()).toMatch(status);
    }
    expect(await charm.builds()).toEqual([]);
    await charm.configure({ "apt-packages": "jq" });
    expect(charm.status()).toMatch(/^blocked relation image is missing/);
    expect((await charm.builds()).map(({ request }) => request.kind)).toEqual(["initialise"]);
    expect(charm.failures()).toEqual([]);
  });
});

describe("without a relation", () => {
  it("prepares the build cloud exactly once, and is blocked on the relation", async () => {
    await using charm = await deployBuilder();
    const missing = "blocked relation image is missing: run juju integrate image-builder <runner charm>";
    expect(charm.status()).toBe(missing);
    await charm.updateStatus();
    await charm.configure({ "build-interval": 7 });
    const [build, ...others] = await charm.builds();
    expect(build?.request.kind).toBe("initialise");
    expect(others).toEqual([]);
    await charm.builders.end(build, { outcome: "done" });
    expect(await charm.wake()).toBe(0);
    await charm.updateStatus();
    await charm.configure({ "build-interval": 6 });
    expect(charm.status()).toBe(missing);
    expect(await charm.builds()).toHaveLength(1);
    expect(charm.failures()).toEqual([]);
  });
});

describe("the operator's certificates", () => {
  it("are a file that anybody may read, as long as the option names some", async () => {
    await using charm = await deployBuilder();
    const [certificate = ""] = rootCertificates;
    await charm.configure({ "ca-certificates": `\n${certificate}\n` });
    expect(await readFile(charm.paths.caFile, "utf8")).toBe(`${certificate}\n`);
    expect((await stat(charm.paths.caFile)).mode & 0o777).toBe(0o644);
    await charm.configure({ "ca-certificates": "" });
    await expect(stat(charm.paths.caFile)).rejects.toThrow("ENOENT");
    expect(charm.failures()).toEqual([]);
  });
});
