import { describe, test } from "vitest";
import { type BuildChanges, useWorkshops, type Workshop } from "../../support/build.ts";
import { fakeCloudAuth } from "../../support/openstack.ts";
import { sumsPath } from "../../support/mirror.ts";

const openWorkshop = useWorkshops();

interface Case {
  readonly what: string;
  readonly prepare?: (workshop: Workshop) => Promise<BuildChanges>;
  /** The one sentence; `M` stands for the mirror's address, `F` for the workshop's folder. */
  readonly says: string | RegExp;
}

const request = (changes: BuildChanges["request"]) => async () => ({ request: changes ?? {} });

const CASES: readonly Case[] = [
  {
    what: "the build cloud's password is wrong",
    prepare: async (workshop) => {
      const auth = await fakeCloudAuth("builder");
      await workshop.writeClouds(["runner-a"], { builder: { ...auth, password: "not-the-password" } });
      return {};
    },
    says: "cannot sign in to the build cloud: cannot sign in to cloud builder: wrong password for user builder of domain Default, or no such user",
  },
  {
    what: "the build cloud has no such project",
    prepare: async (workshop) => {
      const auth = await fakeCloudAuth("builder");
      await workshop.writeClouds(["runner-a"], { builder: { ...auth, projectName: "nowhere" } });
      return {};
    },
    says: "cannot sign in to the build cloud: cannot sign in to cloud builder: there is no project nowhere of domain Default, or user builder of domain Default has no role in it",
  },
  {
    what: "the flavor is too small",
    prepare: request({ flavor: "lab.tiny" }),
    says: 'cannot choose flavor and network: build-flavor: "lab.tiny" is too small; a build needs 2 vCPUs, 1024 MB of memory and 10 GB of disk',
  },
  {
    what: "there is no such flavor",
    prepare: request({ flavor: "m1.huge" }),
    says: 'cannot choose flavor and network: build-flavor: the build project has no flavor "m1.huge"; it has lab.medium, lab.small, lab.tiny',
  },
  {
    what: "there is no such network",
    prepare: request({ network: "the-net" }),
    says: 'cannot choose flavor and network: build-network: the build project has no network "the-net"; it has lab-net',
  },
  {
    what: "the mirror does not list the base image",
    prepare: request({ images: [{ base: "noble", arch: "arm64" }] }),
    says: "noble-arm64: cannot prepare the base image: base-image-mirror: M/images/noble/current/SHA256SUMS does not list noble-server-cloudimg-arm64.img",
  },
  {
    what: "the mirror does not have the release",
    prepare: request({ images: [{ base: "jammy", arch: "x64" }] }),
    says: "jammy-x64: cannot prepare the base image: base-image-mirror: M/images/jammy/current/SHA256SUMS answers HTTP 404",
  },
  {
    what: "the base image does not have the listed checksum",
    prepare: async ({ mirror }) => {
      mirror.put(sumsPath("noble"), { text: `${"0".repeat(64)} *noble-server-cloudimg-amd64.img\n` });
      return {};
    },
    says: /^noble-x64: cannot prepare the base image: base-image-mirror: the checksum of M\/images\/noble\/current\/noble-server-cloudimg-amd64\.img does not match: SHA256SUMS says 0{64}, the file has [0-9a-f]{64}$/,
  },
  {
    what: "nobody answers at the mirror",
    prepare: request({ baseImageMirror: "http://127.0.0.1:9" }),
    says: /^noble-x64: cannot prepare the base image: base-image-mirror: cannot reach http:\/\/127\.0\.0\.1:9\/noble\/current\/SHA256SUMS: /,
  },
  {
    what: "there is no script at script-url",
    prepare: async ({ mirror }) => ({ request: { script: { url: `${mirror.url}/script.sh`, sha256: "" } } }),
    says: "cannot fetch the inputs: script-url: M/script.sh answers HTTP 404",
  },
  {
    what: "the runner's mirror has no release",
    prepare: async ({ mirror }) => ({ recipe: { runnerMirror: `${mirror.url}/elsewhere` } }),
    says: "cannot fetch the inputs: runner-mirror: M/elsewhere/latest does not lead to a release (HTTP 404)",
  },
  {
    what: "there is no cloud beside the build cloud",
    prepare: async (workshop) => {
      await workshop.writeClouds(["builder"]);
      return {};
    },
    says: "cannot sign in to the target clouds: there is no target cloud",
  },
];

describe.concurrent("fails with one sentence and leaves nothing", () => {
  test.for(CASES)("when $what", async ({ prepare, says }, { expect }) => {
    await using workshop = await openWorkshop();
    const changes = (await prepare?.(workshop)) ?? {};
    const { outcome, build, journal, log } = await workshop.run(changes);
    const errors = build.errors.map((text) =>
      text.replaceAll(workshop.mirror.url, "M").replaceAll(workshop.folder, "F"),
    );
    expect(errors).toEqual([typeof says === "string" ? says : expect.stringMatching(says)]);
    expect(outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
    expect([...(await workshop.images("runner-a")), ...(await workshop.images("runner-b"))]).toEqual([]);
    expect(`${journal}${log}`).not.toContain("not-the-password");
    // every step that began has an end
    expect(build.steps.filter(({ ms }) => ms === null)).toEqual([]);
  });
});

const SECRET = "s3cr3t-of-the-script";

const IN_GUEST: readonly Case[] = [
  {
    what: "a section of the recipe fails in the guest",
    prepare: async () => ({
      guest: {
        cloudInit: {
          failedSection: "packages",
          log: [
            "== section packages",
            "E: Unable to locate package nonsuch",
            "== section packages failed after 1 s with exit code 100",
          ],
        },
      },
    }),
    says: "noble-x64: cannot run cloud-init: section packages failed: E: Unable to locate package nonsuch",
  },
  {
    what: "cloud-init reports errors",
    prepare: async () => ({ guest: { cloudInit: { errors: ["('scripts-user', RuntimeError())"] } } }),
    says: "noble-x64: cannot run cloud-init: cloud-init reports an error: ('scripts-user', RuntimeError())",
  },
  {
    what: "the script fails, whose secret nobody gets to see",
    prepare: async ({ mirror }) => {
      mirror.put("/script.sh", { text: "#!/bin/sh\nexit 3\n" });
      return {
        request: { script: { url: `${mirror.url}/script.sh`, sha256: "" } },
        secrets: { TOKEN: SECRET },
        guest: {
          onScript: (script, secrets) => ({
            stdout: [`got ${script.length} bytes\n`, `no licence for ${secrets["TOKEN"]}\n`],
            exitCode: 3,
          }),
        },
      };
    },
    says: "noble-x64: cannot run the script: the command exited with 3: no licence for [redacted]",
  },
];

describe.concurrent("fails with one sentence and removes the server", () => {
  test.for(IN_GUEST)("when $what", async ({ prepare, says }, { expect }) => {
    await using workshop = await openWorkshop();
    const result = await workshop.run((await prepare?.(workshop)) ?? {});
    expect(result.build.errors).toEqual([says]);
    expect(result.outcome).toBe("failed");
    expect(result.events.filter(({ event }) => event === "created")).toMatchObject([
      { kind: "image" },
      { kind: "key pair" },
      { kind: "server" },
    ]);
    expect(await workshop.leftovers()).toEqual([]);
    expect([...(await workshop.images("runner-a")), ...(await workshop.images("runner-b"))]).toEqual([]);
    expect(`${result.journal}${result.log}`).not.toContain(SECRET);
  });
});
