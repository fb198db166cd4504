import { describe, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { deleteServer, listServers, openCloud, waitForServerGone } from "../../../src/openstack/index.ts";
import { type Workshop, useWorkshops } from "../../support/build.ts";
import { startGuest } from "../../support/guest.ts";
import { fakeCloudAuth } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const options = { signal: AbortSignal.timeout(600_000), everyMs: 200 };

async function builderOf({ clouds, owner }: Workshop): Promise<string> {
  const servers = await listServers(clouds.builder, {}, options);
  const ours = servers.find(({ name }) => name.startsWith(owner.application));
  if (ours === undefined) throw new Error("there is no builder");
  return ours.id;
}

async function deleteBuilder(workshop: Workshop): Promise<string> {
  const id = await builderOf(workshop);
  await deleteServer(workshop.clouds.builder, id, options);
  await waitForServerGone(workshop.clouds.builder, id, options);
  return id;
}

/** Puts the server into ERROR, which only an administrator can. */
async function breakServer(id: string): Promise<void> {
  const auth = { ...(await fakeCloudAuth("builder")), projectName: "admin", username: "admin" };
  const admin = await openCloud(
    "admin",
    { ...auth, password: "adminpass" },
    { ...options, log: silentLogger },
  );
  try {
    await admin.compute.authorize(options.signal);
    await new Promise<void>((resolve, reject) => {
      const request = admin.compute.open({
        method: "POST",
        url: `${admin.compute.url}/servers/${id}/action`,
        headers: {},
        body: { "os-resetState": { state: "error" } },
        idleMs: 60_000,
        repeatable: false,
      });
      request.on("error", reject);
      request.on("response", ({ statusCode }: { statusCode: number }) => {
        if (statusCode === 202) resolve();
        else reject(new Error(`HTTP ${statusCode}`));
      });
    });
  } finally {
    admin.close();
  }
}

describe.concurrent("a build fails at once, in one sentence, when its server", () => {
  test("is deleted while cloud-init runs", async ({ expect }) => {
    await using workshop = await openWorkshop();
    let id = "";
    const { outcome, build } = await workshop.run({
      guest: {
        duringCloudInit: async () => {
          id = await deleteBuilder(workshop);
          return { drop: true };
        },
      },
    });
    expect(build.errors).toEqual([
      `noble-x64: cannot run cloud-init: server ${id} is gone: somebody else deleted it`,
    ]);
    expect(outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("is deleted while nobody answers by SSH", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const deleted = Promise.withResolvers<string>();
    let begun = false;
    const { outcome, build } = await workshop.run({
      guest: { refusedLogins: 1000 },
      onGuest: (guest) => ({
        ...guest,
        connect: async (target, signal) => {
          if (!begun) {
            begun = true;
            deleted.resolve(await deleteBuilder(workshop));
          }
          return await guest.connect(target, signal);
        },
      }),
    });
    expect(build.errors).toEqual([
      `noble-x64: cannot log in to the builder: server ${await deleted.promise} is gone: somebody else deleted it`,
    ]);
    expect(outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("goes to ERROR while cloud-init runs", async ({ expect }) => {
    await using workshop = await openWorkshop();
    let id = "";
    const { outcome, build } = await workshop.run({
      guest: {
        duringCloudInit: async () => {
          id = await builderOf(workshop);
          await breakServer(id);
          return { drop: true };
        },
      },
    });
    expect(build.errors).toEqual([
      `noble-x64: cannot run cloud-init: server ${id} is in ERROR (Nova gives no reason)`,
    ]);
    expect(outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("breaks each connection while it is fine", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const { outcome, build } = await workshop.run({
      guest: { duringCloudInit: async () => ({ drop: true }) },
    });
    expect(build.errors).toEqual(["noble-x64: cannot run cloud-init: the SSH connection broke"]);
    expect(outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("boots anew while cloud-init runs", async ({ expect }) => {
    await using workshop = await openWorkshop();
    let boots = 1;
    const { outcome, build } = await workshop.run({
      guest: {
        bootId: () => `boot ${boots}`,
        duringCloudInit: async () => {
          boots += 1;
          return { drop: true };
        },
      },
    });
    expect(build.errors).toEqual([
      "noble-x64: cannot run cloud-init: the builder booted anew, which cut short what ran in it",
    ]);
    expect(outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
  });

  test("has another host key than it had before", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await using stranger = await startGuest("build of nobody");
    let logins = 0;
    const { outcome, build } = await workshop.run({
      guest: { duringCloudInit: async () => ({ drop: true }) },
      onGuest: (guest) => ({
        ...guest,
        connect: async (target, signal) => {
          logins += 1;
          return await (logins === 1 ? guest : stranger).connect(target, signal);
        },
      }),
    });
    expect(build.errors).toEqual([
      expect.stringMatching(
        /^noble-x64: cannot run cloud-init: the host key of \S+ was SHA256:\S+ and is SHA256:\S+ now: another machine answers there$/,
      ),
    ]);
    expect(outcome).toBe("failed");
    expect(stranger.ran).toEqual([]);
    expect(await workshop.leftovers()).toEqual([]);
  });
});

test("a connection that breaks while cloud-init runs is made again, and the build goes on", async ({
  expect,
}) => {
  await using workshop = await openWorkshop();
  let drops = 0;
  const { outcome, build } = await workshop.run({
    guest: {
      duringCloudInit: async () => {
        drops += 1;
        return drops < 3 ? { drop: true } : undefined;
      },
    },
  });
  expect(build.errors).toEqual([]);
  expect(outcome).toBe("done");
  expect(drops).toBe(3);
});
