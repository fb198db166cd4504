import { readFile, stat } from "node:fs/promises";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { NOBLE } from "../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../support/charm-requirers.ts";
import { deployBuilder, type Deployed } from "../support/charm.ts";

async function cloudNames(charm: Deployed): Promise<readonly string[]> {
  const { clouds } = load(await readFile(charm.paths.cloudsFile, "utf8")) as { clouds: object };
  return Object.keys(clouds).toSorted();
}

describe("relations that come one after the other", () => {
  it("wait for all six credentials, then share one build and both get their image", async () => {
    await using charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    const [a, b] = [credentialsOf(charm, "runner-a"), credentialsOf(charm, "runner-b")];
    const runnerA = await relate(charm, "runner-a");
    expect(charm.status()).toBe("waiting for OpenStack credentials from runner-a");
    const { password, ...partial } = a;
    await runnerA.write({ ...partial, region_name: "a key that the contract does not know" });
    expect(charm.status()).toBe("waiting for OpenStack credentials from runner-a");
    expect(await charm.builds()).toHaveLength(1);
    expect(await cloudNames(charm)).toEqual(["builder"]);

    await runnerA.write({ password });
    expect(charm.status()).toBe("maintenance building noble-x64");
    const runnerB = await relate(charm, "runner-b", b);
    const builds = await charm.builds();
    expect(builds.map(({ request }) => `${request.kind} ${request.reason}`)).toEqual([
      "initialise config",
      "build relation",
    ]);
    expect(await cloudNames(charm)).toEqual(["builder", cloudOf(a), cloudOf(b)].toSorted());
    expect((await stat(charm.paths.cloudsFile)).mode & 0o777).toBe(0o600);

    await charm.builders.end(builds.at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(a)]: "image-a", [cloudOf(b)]: "image-b" } }],
    });
    await charm.wake();
    expect(runnerA.bag()["id"]).toBe("image-a");
    expect(runnerB.bag()["id"]).toBe("image-b");
    expect(charm.status()).toMatch(
      /^active noble-x64 published to 2 of 2 relations, next build \d{4}-.* UTC$/,
    );
    expect(await charm.builds()).toHaveLength(2);
    expect(charm.failures()).toEqual([]);
  });

  it("bring a build for the one that came after the upload, which leaves the other's databag alone", async () => {
    await using charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    const [a, b] = [credentialsOf(charm, "runner-a"), credentialsOf(charm, "runner-b")];
    const runnerA = await relate(charm, "runner-a", a);
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(a)]: "image-a" } }],
    });
    await charm.wake();
    const before = charm.mark();
    const runnerB = await relate(charm, "runner-b", b);
    expect((await charm.builds()).map(({ request }) => request.reason)).toEqual([
      "config",
      "relation",
      "relation",
    ]);
    expect(runnerA.bag()["id"]).toBe("image-a");
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: { failed: "upload to runner-b: quota" },
      targets: [cloudOf(a), cloudOf(b)],
      images: [{ spec: NOBLE, ids: { [cloudOf(b)]: "image-b" } }],
    });
    await charm.wake();
    expect(runnerB.bag()["id"]).toBe("image-b");
    expect(runnerA.bag()["id"]).toBe("image-a");
    const written = charm.publications(before).map(({ input }) => input ?? "");
    expect(written).toHaveLength(1);

    await runnerB.leave();
    expect(await cloudNames(charm)).toEqual(["builder", cloudOf(a)].toSorted());
    expect(runnerA.bag()["id"]).toBe("image-a");
    expect(charm.publications(before)).toHaveLength(1);
    expect(JSON.parse(await readFile(charm.paths.publishedFile, "utf8"))).toEqual({ ids: ["image-a"] });
    expect(charm.failures()).toEqual([]);
  });

  it("to the same project are one cloud, and both are served", async () => {
    await using charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    const account = credentialsOf(charm, "shared");
    const first = await relate(charm, "runner-a", account);
    const second = await relate(charm, "runner-b", { ...account, auth_url: `${account.auth_url}/` });
    expect(await cloudNames(charm)).toEqual(["builder", cloudOf(account)].toSorted());
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(account)]: "image-1" } }],
    });
    await charm.wake();
    expect(first.bag()).toEqual(second.bag());
    expect(first.bag()["id"]).toBe("image-1");
    expect(charm.status()).toContain("published to 2 of 2 relations");
    await first.leave();
    expect(await cloudNames(charm)).toEqual(["builder", cloudOf(account)].toSorted());
    expect(second.bag()["id"]).toBe("image-1");
    expect(await charm.builds()).toHaveLength(2);
  });
});

describe("credentials that change", () => {
  it("to another project keep the old image published until the new project has one", async () => {
    await using charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    const [before, after] = [credentialsOf(charm, "old-project"), credentialsOf(charm, "new-project")];
    const runner = await relate(charm, "runner-a", before);
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(before)]: "image-old" } }],
    });
    await charm.wake();
    const published = runner.bag();
    await runner.write(after);
    expect(runner.bag()).toEqual(published);
    expect(JSON.parse(await readFile(charm.paths.publishedFile, "utf8"))).toEqual({ ids: ["image-old"] });
    expect(await cloudNames(charm)).toEqual(["builder", cloudOf(after)].toSorted());
    expect((await charm.builds()).map(({ request }) => request.reason)).toEqual([
      "config",
      "relation",
      "relation",
    ]);
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(after)]: "image-new" } }],
    });
    await charm.wake();
    expect(runner.bag()["id"]).toBe("image-new");

    await runner.write({ auth_url: "not an address" });
    expect(charm.status()).toBe(
      'blocked relation with runner-a: the auth URL "not an address" is not an http or https address',
    );
    expect(runner.bag()["id"]).toBe("image-new");
    await runner.write({ auth_url: "" });
    expect(charm.status()).toBe("waiting for OpenStack credentials from runner-a");
    expect(runner.bag()["id"]).toBe("image-new");
    expect(JSON.parse(await readFile(charm.paths.publishedFile, "utf8"))).toEqual({ ids: ["image-new"] });
    expect(charm.failures()).toEqual([]);
  });
});
