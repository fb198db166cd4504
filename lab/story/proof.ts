/** Proof that a published image is what it should be: boots a server from it, logs in and looks. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { waitFor, withDeadline, minutes } from "../../src/base/deadline.ts";
import { AppError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/log.ts";
import { ResourceScope } from "../../src/base/scope.ts";
import { shellQuote } from "../../src/build/cloud-init/user-data.ts";
import { chooseFlavor, chooseNetwork } from "../../src/build/steps/choose-server.ts";
import {
  addSecurityGroupRule,
  createKeyPair,
  createSecurityGroup,
  createServer,
  deleteKeyPair,
  deleteSecurityGroup,
  deleteServer,
  listFlavors,
  listNetworks,
  openCloud,
  waitForServer,
  waitForServerGone,
  type CloudAuth,
} from "../../src/openstack/index.ts";
import { connect, SshError, type Communicator } from "../../src/ssh/communicator.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";

/** What the image is held against. */
export interface Expectation {
  readonly auth: CloudAuth;
  readonly imageId: string;
  readonly packages: readonly string[];
  /** The option `snaps`. */
  readonly snaps: string;
  readonly secretSha256: string;
  readonly runnerVersion: string;
  /** Texts that must be nowhere on the disk. */
  readonly forbidden: readonly string[];
}

/** One thing looked at; `problem` is null when it holds. */
export interface Check {
  readonly name: string;
  readonly problem: string | null;
}

/** Boots a server in the requirer's project, looks at everything, deletes what it made. */
export async function proveImage(expected: Expectation, signal: AbortSignal): Promise<readonly Check[]> {
  return await withDeadline(signal, minutes(10), "proof of the image", async (limit) =>
    prove(expected, limit),
  );
}

async function prove(expected: Expectation, signal: AbortSignal): Promise<readonly Check[]> {
  const call = { signal };
  const cloud = await openCloud("proof", expected.auth, { ...call, log: silentLogger });
  using _closing = { [Symbol.dispose]: () => cloud.close() };
  await using scope = new ResourceScope(silentLogger);
  const name = `image-proof-${randomBytes(3).toString("hex")}`;
  const group = await createSecurityGroup(cloud, { name, description: "proof of an image" }, call);
  scope.defer("security group", async (undo) => await deleteSecurityGroup(cloud, group.id, { signal: undo }));
  await addSecurityGroupRule(
    cloud,
    {
      groupId: group.id,
      direction: "ingress",
      protocol: "tcp",
      portMin: 22,
      portMax: 22,
      remoteIpPrefix: "0.0.0.0/0",
      etherType: "IPv4",
      description: "",
    },
    call,
  );
  const keys = await generateKeyPair(name);
  scope.defer("key pair", async (undo) => await deleteKeyPair(cloud, name, { signal: undo }));
  await createKeyPair(cloud, { name, publicKey: keys.publicKey }, call);
  const [flavors, networks] = await Promise.all([listFlavors(cloud, call), listNetworks(cloud, call)]);
  const { id } = await createServer(
    cloud,
    {
      name,
      imageId: expected.imageId,
      flavorId: chooseFlavor(flavors, "").id,
      networkId: chooseNetwork(networks, "").id,
      keyName: name,
      securityGroupIds: [group.id],
      userData: "#!/bin/sh\ntouch /root/first-boot\n",
      configDrive: true,
      metadata: {},
    },
    call,
  );
  scope.defer("server", async (undo) => {
    await deleteServer(cloud, id, { signal: undo });
    await waitForServerGone(cloud, id, { signal: undo });
  });
  const server = await waitForServer(cloud, id, "ACTIVE", call);
  const host = server.addresses[0]?.address;
  if (host === undefined) throw new AppError(`server ${id} has no address`);
  const target = { host, port: 22, username: "ubuntu", privateKey: keys.privateKey, isHostKey: () => true };
  await using guest = await waitFor(signal, 500, async (): Promise<Communicator | undefined> => {
    try {
      return await connect(target, signal);
    } catch (error) {
      if (!(error instanceof SshError)) throw error;
      return undefined;
    }
  });
  await guest.run({ command: "cloud-init status --wait", signal });
  const variables = {
    SERVER_ID: id,
    PACKAGES: expected.packages.join(" "),
    SNAPS: expected.snaps.replaceAll(",", " "),
    SECRET_SHA256: expected.secretSha256,
    RUNNER_VERSION: expected.runnerVersion,
  };
  const script = await readFile(new URL("check-image.sh", import.meta.url), "utf8");
  const assignments = Object.entries(variables).map(([key, value]) => `${key}=${shellQuote(value)}`);
  const output = await guest.run({
    command: `sudo env ${assignments.join(" ")} bash -c ${shellQuote(script)}`,
    input: `${expected.forbidden.join("\n")}\n`,
    signal,
  });
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, verdict, text = line, problem] = /^(ok|FAIL) ([^:]+)(?:: (.*))?$/.exec(line) ?? [];
      return { name: text, problem: verdict === "ok" ? null : (problem ?? line) };
    });
}
