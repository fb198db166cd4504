import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "vitest";
import {
  builderName,
  keyPairName,
  ownerTags,
  type Role,
  runnerImageName,
  securityGroupName,
} from "../../../src/build/names.ts";
import type { Owner } from "../../../src/build/types.ts";
import {
  type Cloud,
  createKeyPair,
  createSecurityGroup,
  createServer,
  deleteKeyPair,
  deleteSecurityGroup,
  deleteServer,
  listFlavors,
  listImages,
  listKeyPairs,
  listNetworks,
  listSecurityGroups,
  listServers,
  uploadImage,
  waitForImage,
  waitForServerGone,
} from "../../../src/openstack/index.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { useWorkshops, type Workshop } from "../../support/build.ts";
import { cli } from "../../support/cli.ts";
import { createTestImage, onExit, uniqueName } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const options = { signal: AbortSignal.timeout(600_000), everyMs: 200 };
const SPEC = { base: "noble", arch: "x64" } as const;
const DEAD = "20260101t000000000-dead";

/** An image of this name and with these tags that is active; it goes with `stack`. */
async function image(
  stack: AsyncDisposableStack,
  cloud: Cloud,
  name: string,
  properties: Readonly<Record<string, string>>,
  visibility: "private" | "shared" | "community" = "private",
): Promise<string> {
  const made = stack.use(await createTestImage(cloud, { name, properties, visibility }));
  await uploadImage(cloud, made.id, Readable.from([Buffer.alloc(1024, 7)]), options);
  await waitForImage(cloud, made.id, options);
  return `image ${made.id}`;
}

async function keyPair(stack: AsyncDisposableStack, cloud: Cloud, name: string): Promise<string> {
  const { publicKey } = await generateKeyPair(name);
  await createKeyPair(cloud, { name, publicKey }, options);
  stack.use(onExit((undo) => deleteKeyPair(cloud, name, undo)));
  return `key pair ${name}`;
}

async function group(stack: AsyncDisposableStack, cloud: Cloud, name: string): Promise<string> {
  const { id } = await createSecurityGroup(cloud, { name, description: "" }, options);
  stack.use(onExit((undo) => deleteSecurityGroup(cloud, id, undo)));
  return `security group ${name}`;
}

/** Gives what makes a server of the smallest flavor. */
async function launcher(
  stack: AsyncDisposableStack,
  cloud: Cloud,
): Promise<(name: string, metadata: Readonly<Record<string, string>>) => Promise<string>> {
  const [flavors, networks] = await Promise.all([listFlavors(cloud, options), listNetworks(cloud, options)]);
  const keyName = uniqueName("key");
  await keyPair(stack, cloud, keyName);
  const bootImage = await image(stack, cloud, uniqueName("boot"), {});
  return async (name, metadata) => {
    const { id } = await createServer(
      cloud,
      {
        name,
        imageId: bootImage.replace("image ", ""),
        flavorId: flavors.find((flavor) => flavor.name === "lab.tiny")?.id ?? "",
        networkId: networks.find((network) => network.name === "lab-net")?.id ?? "",
        keyName,
        securityGroupIds: [],
        userData: "#cloud-config\n",
        configDrive: false,
        metadata,
      },
      options,
    );
    stack.use(
      onExit(async (undo) => {
        await deleteServer(cloud, id, undo);
        await waitForServerGone(cloud, id, undo);
      }),
    );
    return `server ${id}`;
  };
}

/** Everything in the build project that `names` names. */
async function there({ clouds }: Workshop): Promise<ReadonlySet<string>> {
  const cloud = clouds.builder;
  const [servers, keyPairs, groups, images] = await Promise.all([
    listServers(cloud, {}, options),
    listKeyPairs(cloud, options),
    listSecurityGroups(cloud, {}, options),
    listImages(cloud, {}, options),
  ]);
  return new Set([
    ...servers.map(({ id }) => `server ${id}`),
    ...keyPairs.map(({ name }) => `key pair ${name}`),
    ...groups.map(({ name }) => `security group ${name}`),
    ...images.map(({ id }) => `image ${id}`),
  ]);
}

describe("reaping", () => {
  test("deletes what dead builds of ours left, and nothing that only looks like it", async ({ expect }) => {
    await using workshop = await openWorkshop();
    await using stack = new AsyncDisposableStack();
    // runner-a is somebody else's here
    await workshop.writeClouds(["builder"]);
    const { owner, clouds } = workshop;
    const { builder } = clouds;
    const peer: Owner = { ...owner, unit: `${owner.application}/7` };
    const otherModel: Owner = { ...owner, modelUuid: "99999999-5f0e-4bb1-8a5a-0f6e0a6f1d11" };
    const otherApplication: Owner = { ...owner, application: `${owner.application}x` };
    const file = join(workshop.folder, "request.json");
    const request = await workshop.newRequest({ request: { otherUnits: [peer.unit] } });
    await writeFile(file, JSON.stringify({ ...request, id: "none" }));
    const tags = (of: Owner, role: Role): Record<string, string> => ownerTags(of, DEAD, role);
    const name = builderName(owner, SPEC, DEAD);
    const runner = runnerImageName(owner, SPEC);

    const server = await launcher(stack, builder);
    const ours = [
      await server(name, tags(owner, "builder")),
      await keyPair(stack, builder, keyPairName(owner, SPEC, DEAD)),
      await image(stack, builder, name, tags(owner, "snapshot")),
      await image(stack, builder, runner, tags(owner, "upload")),
    ];
    const group0 = await group(stack, builder, securityGroupName(owner));
    const alike = [
      await server(name, {}),
      await server(name, tags(otherModel, "builder")),
      await server(name, tags(peer, "builder")),
      await keyPair(stack, builder, keyPairName(peer, SPEC, DEAD)),
      await keyPair(stack, builder, keyPairName(otherModel, SPEC, DEAD)),
      await keyPair(stack, builder, keyPairName(otherApplication, SPEC, DEAD)),
      await keyPair(stack, builder, name),
      await group(stack, builder, securityGroupName(peer)),
      await group(stack, builder, securityGroupName(otherModel)),
      await group(stack, builder, `${securityGroupName(owner)}1`),
      await image(stack, builder, name, {}),
      await image(stack, builder, name, tags(otherModel, "snapshot")),
      await image(stack, builder, name, tags(otherApplication, "snapshot")),
      await image(stack, builder, name, tags(peer, "snapshot")),
      await image(stack, builder, runner, tags(owner, "runner")),
      await image(stack, builder, runner, tags(owner, "base")),
      // of another project, and to be seen in ours
      await image(stack, clouds["runner-a"], name, tags(owner, "snapshot"), "shared"),
      await image(stack, clouds["runner-a"], name, tags(owner, "snapshot"), "community"),
    ];
    const all = await there(workshop);
    expect([...ours, ...alike].filter((each) => !all.has(each) && !each.startsWith("image"))).toEqual([]);

    const words = ["reap", "--request", file, "--json"];
    const dry = await cli(...words);
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(dry.stdout)).toHaveLength(ours.length);
    const applied = await cli(...words, "--apply");
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    const after = await there(workshop);
    expect(ours.filter((each) => after.has(each))).toEqual([]);
    expect([group0, ...alike].filter((each) => all.has(each) && !after.has(each))).toEqual([]);

    const leaving = await cli(...words, "--apply", "--leaving");
    expect(JSON.parse(leaving.stdout)).toMatchObject([{ kind: "security group", outcome: "deleted" }]);
    const last = await there(workshop);
    expect(last.has(group0)).toBe(false);
    expect(alike.filter((each) => all.has(each) && !last.has(each))).toEqual([]);
  });
});
