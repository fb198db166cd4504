import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { exec } from "../../src/base/exec.ts";
import { finderOf, isGivenByJuju, watchProcesses } from "../../lab/story/search-texts.ts";
import { NOBLE } from "../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../support/charm-requirers.ts";
import { APPLICATION, BUILDER_PASSWORD, deployBuilder, UNIT } from "../support/charm.ts";

/** The files below `root` that hold `text`. */
async function filesWith(text: string, root: string): Promise<readonly string[]> {
  const words = ["--recursive", "--files-with-matches", "--fixed-strings", "--", text, root];
  const { code, stdout, stderr } = await exec("grep", words, {
    env: { PATH: "/usr/bin:/bin" },
    signal: AbortSignal.timeout(30_000),
  });
  // 1: none
  if (code > 1) throw new Error(stderr);
  return stdout.split("\n").filter((file) => file !== "");
}

describe("the password's secret", () => {
  it("blocks until it is granted and has the key, and the next update-status goes on", async () => {
    await using charm = await deployBuilder({ grant: false, secret: { pass: "in-the-wrong-key" } });
    expect(charm.status()).toBe(
      "blocked openstack-password-secret: this application may not read the secret; " +
        "run juju grant-secret <name> image-builder",
    );
    charm.juju.grantSecret(charm.passwordSecret, APPLICATION);
    await charm.updateStatus();
    expect(charm.status()).toBe(
      `blocked openstack-password-secret: the secret needs the key "password" with the user's password`,
    );
    expect(await charm.builds()).toEqual([]);
    charm.juju.updateSecret(charm.passwordSecret, { password: "at-last" });
    await charm.updateStatus();
    expect(charm.status()).toMatch(/^blocked relation image is missing/);
    expect(await charm.builds()).toHaveLength(1);
    expect(charm.failures()).toEqual([]);
  });

  it("is followed when it is rotated, and blocks when it is removed", async () => {
    await using charm = await deployBuilder();
    expect(await readFile(charm.paths.cloudsFile, "utf8")).toContain(BUILDER_PASSWORD);
    charm.juju.updateSecret(charm.passwordSecret, { password: "rotated-S3cret" });
    await charm.settle();
    const rotated = await readFile(charm.paths.cloudsFile, "utf8");
    expect(rotated).toContain("rotated-S3cret");
    expect(rotated).not.toContain(BUILDER_PASSWORD);
    expect((await stat(charm.paths.cloudsFile)).mode & 0o777).toBe(0o600);
    expect(await charm.builds()).toHaveLength(1);
    charm.juju.removeSecret(charm.passwordSecret);
    await charm.updateStatus();
    expect(charm.status()).toBe(
      "blocked openstack-password-secret: there is no such secret; set it to the URI of an existing one",
    );
    expect(charm.failures()).toEqual([]);
  });
});

describe("secrets", () => {
  it("stand in no argument, log, request or file that others may read", async () => {
    const scriptSecret = "script-S3cret $(x) value";
    await using charm = await deployBuilder({ config: { "script-url": "http://127.0.0.1:1/script.sh" } });
    const uri = charm.juju.addSecret({ "story-token": scriptSecret });
    charm.juju.grantSecret(uri, APPLICATION);
    await charm.configure({ "script-secret-id": uri });
    const credentials = credentialsOf(charm, "runner-a");
    const requirer = await relate(charm, "runner-a", credentials);
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    await charm.wake();
    const build = (await charm.builds()).at(-1);
    expect(build?.request.kind).toBe("build");
    // a builder that has read its secrets removes the file; this one was stopped before
    const handed = JSON.parse(await readFile(`${charm.paths.runtime}/${build?.id}.json`, "utf8"));
    expect(handed).toEqual({ script: { story_token: scriptSecret }, notifyUrl: null });
    expect((await stat(`${charm.paths.runtime}/${build?.id}.json`)).mode & 0o777).toBe(0o600);
    await charm.builders.end(build, {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(credentials)]: "image-1" } }],
    });
    await charm.wake();
    expect(requirer.bag()["id"]).toBe("image-1");

    const passwords = [BUILDER_PASSWORD, credentials.password, scriptSecret];
    const unit = charm.juju.status().applications[APPLICATION]?.units[UNIT];
    const visible = [
      ...charm.juju.journal().flatMap(({ words, input = "" }) => [...words, input]),
      ...charm.log(),
      ...(unit?.history ?? []).map(({ message }) => message),
      JSON.stringify(requirer.bag()),
    ].join("\n");
    for (const password of passwords) expect(visible).not.toContain(password);
    for (const password of passwords) {
      for (const file of await filesWith(password, charm.root)) {
        expect(file).toMatch(/clouds\.yaml$|\/run\/github-runner-image-builder\/[^/]+\/[^/]+\.json$/);
        expect((await stat(file)).mode & 0o077).toBe(0);
      }
    }
  });
});

describe("the password of the model's proxy", () => {
  // by chance: the processes of the whole machine are looked at
  const PASSWORD = `proxy-S3cret-${randomUUID()}`;
  const addressWith = (password: string): string => `http://site:${password}@127.0.0.1:1`;

  it("reaches a builder on tmpfs alone, and a new one makes a build due", async () => {
    const find = finderOf([{ what: "the proxy's password", text: PASSWORD }]);
    await using watch = watchProcesses(find, (what, environ) => isGivenByJuju(find, what, environ));
    await using charm = await deployBuilder({ proxy: addressWith(PASSWORD) });
    const first = (await charm.builds()).at(-1);
    const pid = Number.parseInt(await readFile(`${first?.folder}/pid`, "utf8"), 10);
    const environ = await readFile(`/proc/${pid}/environ`, "utf8");
    expect(environ).toContain("IMAGE_BUILDER_PROXIES=");
    await charm.builders.end(first, { outcome: "done" });
    const credentials = credentialsOf(charm, "runner-a");
    await relate(charm, "runner-a", credentials);
    const image = { spec: NOBLE, ids: { [cloudOf(credentials)]: "image-1" } };
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done", images: [image] });
    await charm.wake();
    await charm.updateStatus();
    const settled = await readFile(charm.paths.settledFile, "utf8");
    const builds = await charm.builds();
    expect(builds).toHaveLength(2);
    const request = await readFile(`${first?.folder}/request.json`, "utf8");
    expect(request).toContain("http://***@127.0.0.1:1");
    expect(environ + settled + request + charm.log().join("\n")).not.toContain(PASSWORD);
    expect(watch.hits()).toEqual([]);
    expect(watch.seen()).toBeGreaterThan(20);
    for (const file of await filesWith(PASSWORD, charm.root))
      expect(file).toMatch(/\/run\/github-runner-image-builder\/image-builder-0\/proxies-[0-9a-f]+\.json$/);

    // an idle hook sees it, too
    charm.setProxy(addressWith("another-S3cret"));
    await charm.updateStatus();
    expect((await charm.builds()).slice(2)).toMatchObject([{ request: { reason: "config" } }]);
    expect((await charm.builds()).at(-1)?.request.inputs).toBe(builds.at(-1)?.request.inputs);
    expect(charm.failures()).toEqual([]);
  });
});
