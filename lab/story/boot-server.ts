/** A server of the lab's own in one of its projects. */
import type { ResourceScope } from "../../src/base/scope.ts";
import { AppError } from "../../src/base/errors.ts";
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
  waitForServer,
  waitForServerGone,
  type Cloud,
} from "../../src/openstack/index.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";

/** What to boot. */
export interface ServerWish {
  /** Of the server, its key pair and its security group. */
  readonly name: string;
  readonly imageId: string;
  /** Name or id; empty: the smallest that fits. */
  readonly flavor: string;
  /** TCP ports that anybody may reach. */
  readonly ports: readonly number[];
  readonly userData: string;
}

/** A server that is ACTIVE; whether it can be logged in to already, only trying tells. */
export interface BootedServer {
  readonly id: string;
  readonly host: string;
  /** Of the server's key pair, for the image's user. */
  readonly privateKey: string;
}

/** Boots it with a key pair and a security group of its own; `scope` deletes all three. */
export async function bootServer(
  cloud: Cloud,
  scope: ResourceScope,
  wish: ServerWish,
  signal: AbortSignal,
): Promise<BootedServer> {
  const call = { signal };
  const { name } = wish;
  const group = await createSecurityGroup(cloud, { name, description: "of the lab" }, call);
  scope.defer("security group", async (undo) => await deleteSecurityGroup(cloud, group.id, { signal: undo }));
  for (const port of wish.ports) {
    const rule = {
      groupId: group.id,
      direction: "ingress",
      protocol: "tcp",
      portMin: port,
      portMax: port,
      remoteIpPrefix: "0.0.0.0/0",
      etherType: "IPv4",
      description: "",
    } as const;
    await addSecurityGroupRule(cloud, rule, call);
  }
  const keys = await generateKeyPair(name);
  scope.defer("key pair", async (undo) => await deleteKeyPair(cloud, name, { signal: undo }));
  await createKeyPair(cloud, { name, publicKey: keys.publicKey }, call);
  const [flavors, networks] = await Promise.all([listFlavors(cloud, call), listNetworks(cloud, call)]);
  const { id } = await createServer(
    cloud,
    {
      name,
      imageId: wish.imageId,
      flavorId: chooseFlavor(flavors, wish.flavor).id,
      networkId: chooseNetwork(networks, "").id,
      keyName: name,
      securityGroupIds: [group.id],
      userData: wish.userData,
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
  return { id, host, privateKey: keys.privateKey };
}
