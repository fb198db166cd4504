/** What the Python charm left in real clouds, and what becomes of it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "vitest";
import { waitFor } from "../../../src/base/deadline.ts";
import { isMissing } from "../../../src/base/files.ts";
import { REQUEST_FILE } from "../../../src/build/history.ts";
import { TAG } from "../../../src/build/names.ts";
import { formatTraces, tracesFile, type Traces } from "../../../src/build/python-charm/traces.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import type { BuildRequest } from "../../../src/build/types.ts";
import {
  createKeyPair,
  createSecurityGroup,
  createServer,
  deleteSecurityGroup,
  listFlavors,
  listImages,
  listKeyPairs,
  listNetworks,
  listSecurityGroups,
  listServers,
  uploadImage,
  waitForImage,
  type Image,
} from "../../../src/openstack/index.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { folderOf, useWorkshops, type Workshop } from "../../support/build.ts";
import { cli } from "../../support/cli.ts";
import { createTestImage, onExit, type LabProject } from "../../support/openstack.ts";

const openWorkshop = useWorkshops();
const options = { signal: AbortSignal.timeout(600_000), everyMs: 200 };
const NOBLE = { base: "noble", arch: "x64" } as const;
const NONE: Traces = { images: [], snapshots: [], servers: [], publicKey: null };

/** An active image without any of our tags, as the Python charm makes them: `byte` is its content. */
async function plant(workshop: Workshop, project: LabProject, name: string, byte: number): Promise<Image> {
  const cloud = workshop.clouds[project];
  // the workshop deletes it by its name
  const { id, createdAt } = await createTestImage(cloud, { name, properties: { architecture: "x86_64" } });
  await uploadImage(cloud, id, Readable.from([Buffer.alloc(4096, byte)]), options);
  // Glance counts whole seconds, and the next image is to be newer
  await waitFor(options.signal, 50, async () =>
    Date.now() >= createdAt.getTime() + 1000 ? true : undefined,
  );
  return await waitForImage(cloud, id, options);
}

/** Writes what the charm keeps; gives the requests' part that leads to it. */
async function keep(
  { folder }: Workshop,
  published: readonly string[],
  traces: Traces | null,
): Promise<Pick<BuildRequest, "publishedFile" | "keepRevisions">> {
  const publishedFile = join(folder, "published.json");
  await writeFile(publishedFile, formatPublished(published));
  if (traces !== null) await writeFile(tracesFile(publishedFile), formatTraces(traces), { mode: 0o600 });
  return { publishedFile, keepRevisions: 2 };
}

async function traces({ folder }: Workshop): Promise<string | null> {
  try {
    return await readFile(join(folder, "python-charm.json"), "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const idsIn = async (workshop: Workshop, project: LabProject): Promise<readonly string[]> =>
  (await workshop.images(project)).map(({ id }) => id).toSorted();

describe("images of the Python charm", () => {
  test("that are published or logged become revisions; a namesake stays as it is", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const name = `${workshop.owner.application}-noble-x64`;
    const older = await plant(workshop, "runner-a", name, 1);
    const foreign = await plant(workshop, "runner-a", name, 2);
    const [a, b] = [await plant(workshop, "runner-a", name, 3), await plant(workshop, "runner-b", name, 3)];
    // built and uploaded, but never published
    const newer = await plant(workshop, "runner-a", name, 4);
    const kept = await keep(workshop, [a.id, b.id], { ...NONE, images: [older.id, newer.id] });
    const sources = [a, b].map(({ id }, index) => ({
      spec: NOBLE,
      cloud: index === 0 ? "runner-a" : "runner-b",
      imageId: id,
      buildId: id,
    }));
    const { outcome, build } = await workshop.run({
      request: { ...kept, kind: "adopt", reason: "switch", sources },
    });
    expect([outcome, build.errors]).toEqual(["done", []]);
    const revision = build.artifacts[0]?.buildId ?? "";
    expect(build.artifacts.map(({ cloud, imageId, buildId }) => [cloud, imageId, buildId])).toEqual([
      ["runner-a", a.id, revision],
      ["runner-b", b.id, revision],
    ]);
    expect(build.artifacts[1]).toMatchObject({
      createdAt: b.createdAt.toISOString(),
      sizeBytes: 4096,
      hash: `sha512:${b.hashValue}`,
    });
    // a build's id of the time when the first copy was made
    expect(revision).toMatch(/^\d{8}t\d{9}-[0-9a-f]{4}$/);
    expect(revision < build.id).toBe(true);
    expect(build.targets?.toSorted()).toEqual(["runner-a", "runner-b"]);
    expect(await traces(workshop)).toBeNull();

    const request = join(build.folder, REQUEST_FILE);
    const listed = await cli("list-images", "--request", request, "--json");
    const copies = JSON.parse(listed.stdout) as { cloud: string; id: string; state: string }[];
    expect(copies.map(({ cloud, id, state }) => [cloud, id, state])).toEqual([
      ["runner-a", newer.id, "verified"],
      ["runner-a", a.id, "published"],
      ["runner-a", older.id, "superseded"],
      ["runner-b", b.id, "published"],
    ]);
    const [untouched] = (await workshop.images("runner-a")).filter(({ id }) => id === foreign.id);
    expect(
      Object.keys(untouched?.properties ?? {}).filter((key) => key.startsWith("image-builder.")),
    ).toEqual([]);

    // to be published by an operator who rolls back, in all clouds that have that revision
    const back = await cli("rollback", "--request", request, "--to", older.id, "--no-wake");
    expect(back.stdout).toContain(`${older.id} in runner-a`);
    await cli("unpin", "--request", request, "--no-wake");

    // the next build prunes them by its history limit of two, and the namesake never
    const copiesMade: string[] = [];
    const next = await workshop.run({
      request: kept,
      onEvent: (event) => {
        if (event.event === "artifact") copiesMade.push(event.imageId);
      },
      publish: async () => {
        await writeFile(join(workshop.folder, "published.json"), formatPublished(copiesMade));
        return true;
      },
    });
    expect(next.outcome).toBe("done");
    const fresh = next.build.artifacts.find(({ cloud }) => cloud === "runner-a")?.imageId ?? "";
    expect(await idsIn(workshop, "runner-a")).toEqual([fresh, newer.id, foreign.id].toSorted());
    expect(await idsIn(workshop, "runner-b")).toHaveLength(2);
  });

  test("that are published but gone make their cloud one to be served", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const name = `${workshop.owner.application}-noble-x64`;
    const b = await plant(workshop, "runner-b", name, 5);
    const gone = "9a1b2c3d-0000-4000-8000-000000000001";
    const kept = await keep(workshop, [gone, b.id], null);
    const sources = [
      { spec: NOBLE, cloud: "runner-a", imageId: gone, buildId: gone },
      { spec: NOBLE, cloud: "runner-b", imageId: b.id, buildId: b.id },
    ];
    const { outcome, build } = await workshop.run({ request: { ...kept, kind: "adopt", sources } });
    expect(outcome).toBe("done");
    expect(build.artifacts.map(({ cloud }) => cloud)).toEqual(["runner-b"]);
    expect(build.targets).toEqual(["runner-b"]);
  });

  test("wait for the next build where their cloud does not let us in", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const name = `${workshop.owner.application}-noble-x64`;
    const [a, b] = [await plant(workshop, "runner-a", name, 6), await plant(workshop, "runner-b", name, 6)];
    const kept = await keep(workshop, [a.id, b.id], NONE);
    const { cloudsFile } = workshop;
    const good = await readFile(cloudsFile, "utf8");
    await writeFile(cloudsFile, good.replace("runner-b-pass", "wrong"));
    const sources = [
      { spec: NOBLE, cloud: "runner-a", imageId: a.id, buildId: a.id },
      { spec: NOBLE, cloud: "runner-b", imageId: b.id, buildId: b.id },
    ];
    const first = await workshop.run({ request: { ...kept, kind: "adopt", sources } });
    expect(first.outcome).toBe("failed");
    expect(first.build.errors.join()).toMatch(/^cannot adopt all images: runner-b: /);
    expect(first.build.artifacts.map(({ cloud }) => cloud)).toEqual(["runner-a"]);
    expect(await traces(workshop)).not.toBeNull();
    await writeFile(cloudsFile, good);
    expect((await workshop.run({ request: kept })).outcome).toBe("done");
    const image = (await workshop.images("runner-b")).find(({ id }) => id === b.id);
    expect(image?.properties[TAG.role]).toBe("runner");
    expect(await traces(workshop)).toBeNull();
  });
});

test("what served the Python charm's builds goes; look-alikes and the shared group stay", async ({
  expect,
}) => {
  await using workshop = await openWorkshop();
  await using stack = new AsyncDisposableStack();
  const cloud = workshop.clouds.builder;
  const app = workshop.owner.application;
  const { publicKey } = await generateKeyPair("");
  const keyName = `${app}-image-builder-ssh-key`;
  await createKeyPair(cloud, { name: keyName, publicKey }, options);
  const shared = "github-runner-image-builder-v1";
  const group = await createSecurityGroup(cloud, { name: shared, description: "" }, options);
  stack.use(onExit((undo) => deleteSecurityGroup(cloud, group.id, undo)));
  const baseName = `${app}-image-builder-base-noble-x64`;
  const [base, foreignBase] = [
    await plant(workshop, "builder", baseName, 7),
    await plant(workshop, "builder", baseName, 8),
  ];
  const snapshotName = `${app}-noble-x64`;
  const snapshot = await plant(workshop, "builder", snapshotName, 9);
  const published = await plant(workshop, "builder", snapshotName, 9);
  const [flavors, networks] = await Promise.all([listFlavors(cloud, options), listNetworks(cloud, options)]);
  const launch = async (): Promise<string> => {
    const server = {
      name: `${app}-image-builder-noble-x64`,
      imageId: foreignBase.id,
      flavorId: flavors.find((flavor) => flavor.name === "lab.tiny")?.id ?? "",
      networkId: networks.find((network) => network.name === "lab-net")?.id ?? "",
      keyName,
      securityGroupIds: [],
      userData: "#cloud-config\n",
      configDrive: true,
      // its own servers have no metadata; a create is only told apart from another one of that name by some
      metadata: { n: String(Math.random()) },
    };
    return (await createServer(cloud, server, options)).id;
  };
  const [server, foreignServer] = [await launch(), await launch()];
  const found: Traces = {
    images: [base.id],
    snapshots: [snapshot.id, published.id],
    servers: [server],
    publicKey: publicKey.split(" ").slice(0, 2).join(" "),
  };
  const there = async (): Promise<readonly string[]> => {
    const [servers, keyPairs, groups, images] = await Promise.all([
      listServers(cloud, {}, options),
      listKeyPairs(cloud, options),
      listSecurityGroups(cloud, {}, options),
      listImages(cloud, { owner: cloud.projectId }, options),
    ]);
    const ours = [...servers, ...images].filter(({ name }) => name.startsWith(app)).map(({ id }) => id);
    const keys = keyPairs.filter(({ name }) => name === keyName).map(({ name }) => name);
    return [
      ...ours,
      ...keys,
      ...groups.filter(({ id }) => id === group.id).map(({ name }) => name),
    ].toSorted();
  };
  const rest = [foreignBase.id, published.id, foreignServer, shared];

  // another key under that name is another application's
  const other = await keep(workshop, [published.id], { ...found, publicKey: "ssh-ed25519 AAAA" });
  const request = await workshop.newRequest({ request: { ...other, kind: "adopt" } });
  const file = join(folderOf(workshop, request), REQUEST_FILE);
  const dry = await cli("reap", "--request", file, "--json");
  const names = (JSON.parse(dry.stdout) as { id: string }[]).map(({ id }) => id);
  expect(names.toSorted()).toEqual([base.id, snapshot.id, server].toSorted());
  expect(await there()).toEqual([...rest, base.id, snapshot.id, server, keyName].toSorted());

  await keep(workshop, [published.id], found);
  const { outcome } = await workshop.run({ request: { ...other, kind: "adopt" } });
  expect(outcome).toBe("done");
  expect(await there()).toEqual(rest.toSorted());
  expect(await traces(workshop)).toBeNull();
});
