import { describe, expect, test } from "vitest";
import {
  type Cloud,
  consoleOutput,
  createKeyPair,
  createServer,
  createServerImage,
  deleteImage,
  deleteKeyPair,
  deleteServer,
  getImage,
  getServer,
  isConflict,
  isNotFound,
  isQuotaExceeded,
  listFlavors,
  listKeyPairs,
  listNetworks,
  listServers,
  type NewServer,
  OpenStackError,
  readComputeLimits,
  ServerFailedError,
  stopServer,
  uploadImage,
  waitForImage,
  waitForServer,
  waitForServerGone,
  waitForServerIdle,
} from "../../../src/openstack/index.ts";
import { createTestImage, onExit, openFakeCloud, uniqueName } from "../../support/openstack.ts";

const signal = AbortSignal.timeout(600_000);
const options = { signal, everyMs: 200 };

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Y3Kk0q0lZ3rC0l8q1Gg6m6k7yW0wq0v7v3l3n4h5K";
const OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK2Y3Kk0q0lZ3rC0l8q1Gg6m6k7yW0wq0v7v3l3n4h5K";

const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** What every server of these tests is made of; image and key pair go when the block ends. */
async function ingredients(cloud: Cloud): Promise<Omit<NewServer, "name"> & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const image = stack.use(await createTestImage(cloud));
  async function* data(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1024 * 1024, 7);
  }
  await uploadImage(cloud, image.id, data(), { signal });
  const keyName = uniqueName("key");
  await createKeyPair(cloud, { name: keyName, publicKey: KEY }, options);
  stack.use(onExit((undo) => deleteKeyPair(cloud, keyName, undo)));
  const flavor = (await listFlavors(cloud, options)).find(({ name }) => name === "lab.tiny");
  const network = (await listNetworks(cloud, options)).find(({ name }) => name === "lab-net");
  return {
    imageId: image.id,
    flavorId: flavor?.id ?? "",
    networkId: network?.id ?? "",
    keyName,
    securityGroupIds: ["default"],
    userData: "#cloud-config\n",
    configDrive: true,
    metadata: { "image-builder": "test" },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Deletes a server and waits until it is gone, when the block ends. */
const deletedOnExit = (cloud: Cloud, id: string): AsyncDisposable =>
  onExit(async (undo) => {
    await deleteServer(cloud, id, undo);
    await waitForServerGone(cloud, id, { ...undo, everyMs: 200 });
  });

describe("a server", () => {
  test("goes through its life: ACTIVE, SHUTOFF, snapshot, gone", async () => {
    using cloud = await openFakeCloud("builder");
    await using parts = await ingredients(cloud);
    const name = uniqueName("server");
    const before = await readComputeLimits(cloud, options);
    const { id } = await createServer(cloud, { ...parts, name, tags: ["a-tag"] }, options);
    await using _gone = deletedOnExit(cloud, id);

    const active = await waitForServer(cloud, id, "ACTIVE", options);
    expect(active).toMatchObject({
      id,
      name,
      taskState: null,
      fault: null,
      metadata: { "image-builder": "test" },
    });
    expect(active.addresses).toMatchObject([{ network: "lab-net", version: 4 }]);
    expect(active.addresses[0]?.address).toMatch(/^10\.77\.0\.\d+$/);
    expect(Math.abs(active.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
    const after = await readComputeLimits(cloud, options);
    expect(after.instances.used).toBe(before.instances.used + 1);
    expect(after.keyPairs.used).toBeGreaterThan(0);

    expect(await listServers(cloud, { name }, options)).toHaveLength(1);
    expect(await listServers(cloud, { name, metadata: { "image-builder": "other" } }, options)).toEqual([]);
    expect(await listServers(cloud, { name: name.slice(0, -1) }, options)).toEqual([]);
    expect((await consoleOutput(cloud, id, 10, options)).length).toBeGreaterThan(0);

    await stopServer(cloud, id, options);
    await waitForServer(cloud, id, "SHUTOFF", options);
    await expect(stopServer(cloud, id, options)).resolves.toBeUndefined();

    const snapshot = uniqueName("snapshot");
    const metadata = { build: "b-1" };
    const imageId = await createServerImage(cloud, id, { name: snapshot, metadata }, options);
    await using _image = onExit((undo) => deleteImage(cloud, imageId, undo));
    expect(await waitForImage(cloud, imageId, options)).toMatchObject({
      name: snapshot,
      status: "active",
      sizeBytes: 1024 * 1024,
      properties: { build: "b-1", instance_uuid: id },
    });
    expect(await waitForServerIdle(cloud, id, options)).toMatchObject({ status: "SHUTOFF", taskState: null });

    await deleteServer(cloud, id, options);
    await waitForServerGone(cloud, id, options);
    // Nova may show a server as DELETED for a moment before it answers 404
    const looked = getServer(cloud, id, options).then(({ status }) => status);
    expect(["DELETED", "gone"]).toContain(
      await looked.catch((error) => (isNotFound(error) ? "gone" : error)),
    );
    await expect(deleteServer(cloud, id, options)).resolves.toBeUndefined();
    await expect(waitForServer(cloud, id, "ACTIVE", options)).rejects.toBeInstanceOf(ServerFailedError);
    expect((await getImage(cloud, imageId, options)).status).toBe("active");
  });

  test("of an unknown flavor, image, network or key pair is refused with Nova's reason", async () => {
    using cloud = await openFakeCloud("builder");
    await using parts = await ingredients(cloud);
    const unknown = "11111111-2222-3333-4444-555555555555";
    const wrong: Partial<NewServer>[] = [
      { flavorId: unknown },
      { imageId: unknown },
      { networkId: unknown },
      { keyName: "no-such-key" },
    ];
    for (const change of wrong) {
      const error = await failureOf(
        createServer(cloud, { ...parts, name: "test-refused", ...change }, options),
      );
      expect(error).toBeInstanceOf(OpenStackError);
      expect(error).toMatchObject({
        status: 400,
        service: "compute",
        requestId: expect.stringMatching(/^req-/),
      });
      expect(String(error)).toMatch(
        /^OpenStackError: cannot create server test-refused: .+ \(HTTP 400 from compute\)$/,
      );
    }
  });

  test("that is one too many for the quota is refused as such", async () => {
    using cloud = await openFakeCloud("runner-b");
    await using parts = await ingredients(cloud);
    const stack = new AsyncDisposableStack();
    await using _all = stack;
    const { instances } = await readComputeLimits(cloud, options);
    const name = uniqueName("quota");
    for (let at = instances.used; at < instances.limit; at += 1) {
      const { id } = await createServer(cloud, { ...parts, name: `${name}-${at}` }, options);
      stack.use(deletedOnExit(cloud, id));
    }
    const error = await failureOf(createServer(cloud, { ...parts, name: `${name}-last` }, options));
    expect(isQuotaExceeded(error)).toBe(true);
    expect(String(error)).toContain(`cannot create server ${name}-last: Quota exceeded for instances`);
    expect(await listServers(cloud, { name: `${name}-last` }, options)).toEqual([]);
  });
});

describe("key pairs", () => {
  test("may be created twice with the same key, not with another, and deleted twice", async () => {
    using cloud = await openFakeCloud("runner-a");
    const name = uniqueName("key");
    await using _gone = onExit((undo) => deleteKeyPair(cloud, name, undo));
    await createKeyPair(cloud, { name, publicKey: `${KEY} somebody` }, options);
    await expect(createKeyPair(cloud, { name, publicKey: KEY }, options)).resolves.toBeUndefined();
    expect(isConflict(await failureOf(createKeyPair(cloud, { name, publicKey: OTHER_KEY }, options)))).toBe(
      true,
    );
    const found = (await listKeyPairs(cloud, options)).find((each) => each.name === name);
    expect(found?.publicKey).toContain(KEY);
    expect(found?.fingerprint).toMatch(/^[0-9a-f:]{47}$/);
    await deleteKeyPair(cloud, name, options);
    await expect(deleteKeyPair(cloud, name, options)).resolves.toBeUndefined();
    expect((await listKeyPairs(cloud, options)).some((each) => each.name === name)).toBe(false);
  });

  test("that are no keys are refused", async () => {
    using cloud = await openFakeCloud("runner-a");
    await expect(
      createKeyPair(cloud, { name: uniqueName("key"), publicKey: "nonsense" }, options),
    ).rejects.toThrow(
      /^cannot create key pair test-key-\w+: Keypair data is invalid.* \(HTTP 400 from compute\)$/,
    );
  });
});
