import { readdir, readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { expect, it } from "vitest";
import { NOBLE } from "../../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate, type Requirer } from "../../support/charm-requirers.ts";
import { deployBuilder, type Deployed } from "../../support/charm.ts";

const MEGABYTE = "a".repeat(1 << 20);
const HIDDEN = "hunter2-S3cret";
const FIX = "correct the OpenStack options of runner-b";

/** What one requirer may write instead of good credentials, and the status that follows. */
const BAD: readonly (readonly [data: Readonly<Record<string, string>>, status: string])[] = [
  [
    { auth_url: "keystone" },
    `blocked relation with runner-b: auth_url is not an http or https address; ${FIX}`,
  ],
  [
    { auth_url: MEGABYTE },
    `blocked relation with runner-b: auth_url is not an http or https address; ${FIX}`,
  ],
  [
    { auth_url: `https://user:${HIDDEN}@k.example/v3` },
    `blocked relation with runner-b: auth_url holds a user name or password; ${FIX}`,
  ],
  [
    { auth_url: "https://k.example:99999" },
    `blocked relation with runner-b: auth_url has a port that is not from 1 to 65535; ${FIX}`,
  ],
  [
    { project_name: "a\u001b[31m" },
    `blocked relation with runner-b: project_name has the character U+001B, which cannot be printed; ${FIX}`,
  ],
  [
    { username: "caf\ufffd" },
    `blocked relation with runner-b: username has the character U+FFFD, which cannot be printed; ${FIX}`,
  ],
  [
    { password: `${HIDDEN}\n` },
    `blocked relation with runner-b: password has the character U+000A, which cannot be printed; ${FIX}`,
  ],
  [
    { user_domain_name: MEGABYTE },
    `blocked relation with runner-b: user_domain_name has 1048576 characters, 255 are the most; ${FIX}`,
  ],
];

interface Setting {
  readonly charm: Deployed;
  /** Served with `image-1`. */
  readonly good: Requirer;
  readonly account: ReturnType<typeof credentialsOf>;
  /** Everything that may not change: journal, what is published, the good requirer's databag, queued writes. */
  readonly traces: () => Promise<unknown>;
}

async function served(charm: Deployed): Promise<Setting> {
  const account = credentialsOf(charm, "runner-a");
  const good = await relate(charm, "runner-a", account);
  await charm.builders.end((await charm.builds())[0], { outcome: "done" });
  await charm.wake();
  await charm.builders.end((await charm.builds()).at(-1), {
    outcome: "done",
    images: [{ spec: NOBLE, ids: { [cloudOf(account)]: "image-1" } }],
  });
  await charm.wake();
  const from = charm.mark();
  const traces = async (): Promise<unknown> => ({
    journal: (await readdir(charm.paths.builds, { recursive: true })).toSorted(),
    published: await readFile(charm.paths.publishedFile, "utf8"),
    clouds: await readFile(charm.paths.cloudsFile, "utf8"),
    bag: good.bag(),
    writes: charm.calls("relation-set", from).length,
  });
  return { charm, good, account, traces };
}

it(
  "one requirer's bad data blocks with one sentence, starts no build and leaves the other's databag alone",
  { timeout: 120_000 },
  async () => {
    await using charm = await deployBuilder();
    const { account, good, traces } = await served(charm);
    const before = await traces();
    expect(good.bag()["id"]).toBe("image-1");
    const other = credentialsOf(charm, "runner-b");

    const bad = await relate(charm, "runner-b", { unknown: MEGABYTE, "egress-subnets": "" });
    expect(charm.status()).toMatch(/^active noble-x64 .*published to 1 of 2 relations/);
    const { password, ...partial } = other;
    await bad.write(partial);
    expect(await traces()).toEqual(before);
    for (const [data, status] of BAD) {
      await bad.write({ ...other, password, ...data });
      expect(charm.status()).toBe(status);
      expect(bad.bag()).toEqual({});
      expect(await traces()).toEqual(before);
    }
    expect(charm.log().join("\n")).not.toContain(HIDDEN);

    // the same account as the other relation: one cloud that has its image already, so both are served at once
    await bad.write(account);
    expect(bad.bag()).toEqual(good.bag());
    const { clouds } = load(await readFile(charm.paths.cloudsFile, "utf8")) as { clouds: object };
    expect(Object.keys(clouds)).toEqual(["builder", cloudOf(account)].toSorted());
    expect(await charm.builds()).toHaveLength(2);
    expect(charm.status()).toMatch(/^active noble-x64 .*published to 2 of 2 relations/);

    // credentials that go bad, and credentials that go away: what is published stays
    await bad.write({ auth_url: "keystone" });
    expect(charm.status()).toMatch(/^blocked relation with runner-b: auth_url is not/);
    expect(bad.bag()["id"]).toBe("image-1");
    await bad.write(Object.fromEntries(Object.keys(account).map((key) => [key, ""])));
    await good.write(Object.fromEntries(Object.keys(account).map((key) => [key, ""])));
    expect(charm.status()).toBe("waiting for OpenStack credentials from runner-a, runner-b");
    expect([good.bag()["id"], bad.bag()["id"]]).toEqual(["image-1", "image-1"]);
    expect(JSON.parse(await readFile(charm.paths.publishedFile, "utf8"))).toEqual({ ids: ["image-1"] });
    expect(await charm.builds()).toHaveLength(2);
    expect(charm.failures()).toEqual([]);
  },
);

it("two units of one requirer that disagree are spoken for by the first with usable credentials", async () => {
  await using charm = await deployBuilder();
  const { account, good, traces } = await served(charm);
  const before = await traces();
  const second = charm.juju.addScriptedUnit("runner-a");
  charm.juju.setUnitData(good.relation, second, credentialsOf(charm, "another-project"));
  await charm.settle();
  expect(await traces()).toEqual(before);
  expect(charm.status()).toMatch(/^active noble-x64 .*published to 1 of 1 relations/);

  // the first one's data go bad: the second speaks, its project gets a build, the old image stays published
  await good.write({ auth_url: "keystone" });
  expect((await charm.builds()).map(({ request }) => request.reason)).toEqual([
    "config",
    "relation",
    "relation",
  ]);
  expect(good.bag()["id"]).toBe("image-1");

  // and right again: no further build, and nothing was ever taken back
  await good.write({ auth_url: account.auth_url });
  expect(await charm.builds()).toHaveLength(3);
  expect(good.bag()["id"]).toBe("image-1");
  expect(charm.failures()).toEqual([]);
});
