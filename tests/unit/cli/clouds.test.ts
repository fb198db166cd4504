import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ownerTags, TAG, type Role } from "../../../src/build/names.ts";
import { formatPins } from "../../../src/build/pins.ts";
import { processIdentity } from "../../../src/build/process-id.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import { formatCloudsYaml } from "../../../src/openstack/index.ts";
import { OWNER, requestWith, writeBuild } from "../../support/builds.ts";
import { cli } from "../../support/cli.ts";
import { json, startStub, type Stub } from "../../support/openstack-stub.ts";

// each test starts programs, which takes its time on a busy machine
vi.setConfig({ testTimeout: 30_000 });

const NOBLE = { base: "noble", arch: "x64" } as const;
const IMAGES = "/image/v2/images";

/** An image as Glance tells of it. */
const glanceImage = (revision: string, role: Role): object => ({
  id: `image-${revision}`,
  name: "builder-noble-x64",
  status: "active",
  visibility: "private",
  owner: "p1",
  created_at: "2026-11-24T00:00:00Z",
  ...ownerTags(OWNER, revision, role),
  [TAG.revision]: revision,
});

/** A cloud with these images, which does `meanwhile` before it tells of them. */
async function cloudWith(images: readonly object[], meanwhile: () => Promise<void>): Promise<Stub> {
  const stub = await startStub();
  stub.answer("GET", "/compute/servers/detail", json(200, { servers: [] }));
  stub.answer("GET", "/compute/os-keypairs", json(200, { keypairs: [] }));
  stub.answer("GET", "/network/v2.0/security-groups", json(200, { security_groups: [] }));
  stub.answer("GET", IMAGES, async (request, response) => {
    await meanwhile();
    await json(200, { images })(request, response);
  });
  for (const image of images) {
    const { id } = image as { id: string };
    stub.answer("DELETE", `${IMAGES}/${id}`, json(204, null));
  }
  return stub;
}

const deleted = ({ seen }: Stub): string[] =>
  seen.filter(({ method }) => method === "DELETE").map(({ url }) => url.slice(IMAGES.length + 1));

/** A unit's state: the request that its charm keeps, and `published`; gives the request's path. */
async function unitState(
  folder: string,
  cloud: Stub,
  name: string,
  published: readonly string[],
): Promise<string> {
  const publishedFile = join(folder, "published.json");
  const cloudsFile = join(folder, "clouds.yaml");
  await writeFile(publishedFile, formatPublished(published));
  await writeFile(cloudsFile, formatCloudsYaml(new Map([[name, cloud.auth]])));
  await mkdir(join(folder, "builds"));
  const request = join(folder, "request.json");
  await writeFile(request, JSON.stringify(requestWith({ cloudsFile, publishedFile, keepRevisions: 2 })));
  return request;
}

const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "clouds-"));

describe("list-images", () => {
  test("tells all of each copy, those of a release that is not built any more behind the others", async () => {
    await using root = await folder();
    const former = {
      ...glanceImage("1", "runner"),
      name: "builder-jammy-x64",
      [TAG.base]: "jammy",
      [TAG.arch]: "x64",
      size: 7,
      os_hash_algo: "sha512",
      os_hash_value: "abc",
    };
    await using cloud = await cloudWith([former, glanceImage("2", "upload")], async () => {});
    const request = await unitState(root.path, cloud, "runner", ["image-1"]);
    const { code, stdout } = await cli("list-images", "--request", request, "--json");
    const both = { cloud: "runner", isPinned: false, createdAt: "2026-11-24T00:00:00.000Z" };
    const uploading = { image: "noble-x64", id: "image-2", state: "uploading", revision: "2" };
    const published = { image: "jammy-x64", id: "image-1", state: "published", revision: "1" };
    expect(JSON.parse(stdout)).toEqual([
      { ...both, ...uploading, sizeBytes: null, hash: null },
      { ...both, ...published, sizeBytes: 7, hash: "sha512:abc" },
    ]);
    expect(code).toBe(0);
  });
});

describe("reap --apply", () => {
  test("spares what a build made that began while the cloud was asked", async () => {
    await using root = await folder();
    await using cloud = await cloudWith(
      [glanceImage("old", "upload"), glanceImage("young", "upload")],
      async () => {
        const process = {
          event: "started",
          at: new Date().toISOString(),
          process: await processIdentity(globalThis.process.pid),
        };
        await writeBuild(join(root.path, "builds"), requestWith({ id: "young" }), [process]);
      },
    );
    const { code, stdout } = await cli(
      "reap",
      "--request",
      await unitState(root.path, cloud, "builder", []),
      "--apply",
      "--json",
    );
    expect(JSON.parse(stdout)).toEqual([
      {
        kind: "image",
        cloud: "builder",
        id: "image-old",
        name: "builder-noble-x64",
        outcome: "deleted",
        reason: null,
      },
    ]);
    expect(deleted(cloud)).toEqual(["image-old"]);
    expect(code).toBe(0);
  });
});

describe("prune --apply", () => {
  const images = ["5", "4", "3", "2", "1"].map((revision) => glanceImage(revision, "runner"));

  test("spares what was pinned while the cloud was asked", async () => {
    await using root = await folder();
    await using cloud = await cloudWith(images, async () => {
      const at = new Date().toISOString();
      const pins = { at, pins: [{ spec: NOBLE, buildId: "2", at, copies: [] }] };
      await writeFile(join(root.path, "pins.json"), formatPins(pins));
    });
    const { code, stdout } = await cli(
      "prune",
      "--request",
      await unitState(root.path, cloud, "runner", ["image-5"]),
      "--apply",
      "--json",
    );
    expect(JSON.parse(stdout)).toMatchObject([
      { image: "noble-x64", cloud: "runner", id: "image-3", revision: "3", outcome: "deleted", reason: null },
      { id: "image-1", outcome: "deleted" },
    ]);
    expect(deleted(cloud)).toEqual(["image-3", "image-1"]);
    expect(code).toBe(0);
  });

  test("spares what was published while the cloud was asked", async () => {
    await using root = await folder();
    await using cloud = await cloudWith(images, async () => {
      await writeFile(join(root.path, "published.json"), formatPublished(["image-5", "image-1"]));
    });
    await cli("prune", "--request", await unitState(root.path, cloud, "runner", ["image-5"]), "--apply");
    expect(deleted(cloud)).toEqual(["image-3", "image-2"]);
  });

  test("tells what stays, and why, before anything is deleted", async () => {
    await using root = await folder();
    const guarded = images.map((image, index) => ({ ...image, protected: index === 3 }));
    await using cloud = await cloudWith(guarded, async () => {});
    const request = await unitState(root.path, cloud, "runner", ["image-5"]);
    const { stdout } = await cli("prune", "--request", request, "--json");
    expect(JSON.parse(stdout)).toMatchObject([
      { id: "image-3", outcome: "superseded", reason: null },
      { id: "image-2", outcome: "stays", reason: "it is protected" },
      { id: "image-1", outcome: "superseded", reason: null },
    ]);
    expect(deleted(cloud)).toEqual([]);
  });
});
