import { expect, test } from "vitest";
import { createKeyPair } from "../../../../src/openstack/index.ts";
import { json, openStub, reset, startStub } from "../../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const listed = (publicKey: string): object => ({
  keypairs: [{ keypair: { name: "k1", fingerprint: "aa:bb", public_key: publicKey } }],
});

test("a key pair whose creation got no reply is looked for by name and key", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("POST", "/compute/os-keypairs", reset);
  stub.answer("GET", "/compute/os-keypairs", json(200, listed("ssh-ed25519 AAAA comment\n")));
  const create = (publicKey: string): Promise<void> =>
    createKeyPair(cloud, { name: "k1", publicKey }, { signal });
  await expect(create("ssh-ed25519 AAAA")).resolves.toBeUndefined();
  await expect(create("ssh-ed25519 BBBB")).rejects.toThrow("cannot create key pair k1: ECONNRESET");
});
