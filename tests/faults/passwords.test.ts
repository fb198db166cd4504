/** Passwords that are changed in Keystone while a build runs, as an operator rotates them. */
import { describe, test } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { listKeyPairs, listServers, openCloud } from "../../src/openstack/index.ts";
import { type Account, createAccount } from "../support/accounts.ts";
import { useWorkshops } from "../support/build.ts";
import { damage, type Lane, openLane } from "./support/lanes.ts";

const openWorkshop = useWorkshops();

/** Another password, and the end of all tokens, which Keystone does not enforce at once in all of its processes. */
async function rotate({ proxy }: Lane, account: Account): Promise<undefined> {
  await account.rotate();
  await proxy.revokeTokens();
  return undefined;
}

describe.concurrent("a password is changed while a build runs", () => {
  test("of the build cloud: the build says which options, and the next one deletes what it left", async ({
    expect,
  }) => {
    await using account = await createAccount("builder");
    await using workshop = await openWorkshop();
    await using lane = await openLane(workshop, { builder: account.auth() });
    const { username } = account.auth();
    const cut = await lane.build({ guest: { duringCloudInit: async () => await rotate(lane, account) } });
    expect(cut.build.errors).toEqual([
      `noble-x64: cannot stop the builder: cannot sign in to cloud builder: wrong password for user ${username} of domain Default, or no such user`,
    ]);
    expect(cut.build.advice).toBe("check the openstack-* options and their secret with the action check");
    const left = cut.events.flatMap((event) => (event.event === "leftover" ? [event.what] : []));
    expect(left).toEqual([expect.stringMatching(/^server /), expect.stringMatching(/^key pair /)]);
    const options = { signal: AbortSignal.timeout(250_000) };
    const { application } = workshop.owner;
    const ours = ({ name }: { readonly name: string }): boolean => name.startsWith(application);
    expect((await listServers(workshop.clouds.builder, {}, options)).filter(ours)).toHaveLength(1);

    await lane.signInBy({ builder: account.auth() });
    const next = await lane.build();
    expect(next.build.errors).toEqual([]);
    expect(await damage(lane, next)).toEqual([]);
    // key pairs belong to the user
    const cloud = await openCloud("own", account.auth(), { ...options, log: silentLogger });
    using _close = { [Symbol.dispose]: () => cloud.close() };
    expect((await listKeyPairs(cloud, options)).filter(ours)).toEqual([]);
  });

  test("of a target: that one fails alone, and is named", async ({ expect }) => {
    await using account = await createAccount("runner-b");
    await using lane = await openLane(await openWorkshop(), { "runner-b": account.auth() });
    const { username } = account.auth();
    const result = await lane.build({
      guest: { duringCloudInit: async () => await rotate(lane, account) },
    });
    expect(result.build.errors).toEqual([
      `noble-x64: no copy in runner-b: cannot sign in to cloud runner-b: wrong password for user ${username} of domain Default, or no such user`,
    ]);
    expect(result.build.advice).toBe(
      "check the OpenStack options of the related charms with the action check",
    );
    expect(result.build.artifacts.map(({ cloud }) => cloud)).toEqual(["runner-a"]);
    expect(await damage(lane, result)).toEqual([]);
  });

  test("of a target, and the charm has written the new one before the upload: all get their copies", async ({
    expect,
  }) => {
    await using account = await createAccount("runner-b");
    await using lane = await openLane(await openWorkshop(), { "runner-b": account.auth() });
    const result = await lane.build({
      guest: {
        duringCloudInit: async () => {
          await rotate(lane, account);
          await lane.signInBy({ "runner-b": account.auth() });
          return undefined;
        },
      },
    });
    expect(result.build.errors).toEqual([]);
    expect(result.build.artifacts.map(({ cloud }) => cloud).toSorted()).toEqual(["runner-a", "runner-b"]);
    expect(await damage(lane, result)).toEqual([]);
  });
});
