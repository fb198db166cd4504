/** The whole story with real guests, told once; each test asserts one thing that was promised. */
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { TAG } from "../../src/build/names.ts";
import {
  listImages,
  listKeyPairs,
  listSecurityGroups,
  listServers,
  openCloud,
  type Cloud,
  type Image,
} from "../../src/openstack/index.ts";
import { PACKAGES } from "../../lab/story/model.ts";
import { tellStory } from "../../lab/story/story.ts";
import type { Bag, Story } from "../../lab/story/told.ts";

const call = { signal: AbortSignal.timeout(1_100_000) };
let story: Story;

beforeAll(async () => {
  story = await tellStory(
    { phase: (name) => console.log(`== ${name}`), line: console.log, buildEvent: () => {} },
    // docker is what runners rely on most, and takes a minute to install
    [...PACKAGES, "docker.io"],
    call.signal,
  );
}, 1_100_000);

async function withCloud<T>(
  project: "builder" | "runner-a" | "runner-b",
  look: (cloud: Cloud) => Promise<T>,
): Promise<T> {
  const auth = { ...story.lab.credentials(project), caFile: null };
  const cloud = await openCloud(project, auth, { ...call, log: silentLogger });
  using _closing = { [Symbol.dispose]: () => cloud.close() };
  return await look(cloud);
}

async function imagesOf(project: "builder" | "runner-a" | "runner-b"): Promise<readonly Image[]> {
  return await withCloud(project, async (cloud) => listImages(cloud, { owner: cloud.projectId }, call));
}

const bagOf = ({ relation, id, tags, images }: Bag): Bag => ({ relation, id, tags, images });

describe("publishing", () => {
  test("both relations get id, tags and images of an image in their own project", async () => {
    expect(story.second.map(({ relation }) => relation)).toEqual(["runner-a", "runner-b"]);
    for (const { relation, id, tags, images } of story.second) {
      const image = (await imagesOf(relation as "runner-a")).find((one) => one.id === id);
      expect(image?.status).toBe("active");
      expect(tags).toBe("x64,noble");
      expect(images).toBe(`[{"id": "${id}", "tags": "x64,noble"}]`);
    }
  });

  test("a second revision is published and the first one is kept", async () => {
    for (const [at, { relation, id }] of story.first.entries()) {
      expect(story.second[at]?.id).not.toBe(id);
      const images = await imagesOf(relation as "runner-a");
      expect(images.map((image) => image.id).toSorted()).toEqual([id, story.second[at]?.id ?? ""].toSorted());
    }
  });

  test("copies are byte for byte the same and carry who built what", async () => {
    const [a, b] = await Promise.all([imagesOf("runner-a"), imagesOf("runner-b")]);
    const newest = [a, b].map((images) => images[0]);
    expect(newest[0]?.hashValue).toBe(newest[1]?.hashValue);
    expect(newest[0]?.name).toBe("image-builder-noble-x64");
    expect(newest[0]?.properties).toMatchObject({
      architecture: "x86_64",
      [TAG.application]: "image-builder",
      [TAG.unit]: "image-builder/0",
      [TAG.role]: "runner",
      [TAG.base]: "noble",
      [TAG.arch]: "x64",
      [TAG.build]: story.builds.at(-1)?.build.id,
    });
  });

  test("the action run joins the build that cron started", () => {
    expect(story.joined.byAction).toBe(story.joined.byCron);
  });

  test("the leader ends active and says what is published and when the next build is due", () => {
    expect(story.secondUnit.status).toMatch(
      /^active noble-x64 of \d{4}-\d\d-\d\d \d\d:\d\d UTC \(less than 1 h old\), published to 2 of 2 relations, next build \d{4}-\d\d-\d\d \d\d:\d\d UTC$/,
    );
  });

  test("a unit that comes publishes the same before it has done anything else", () => {
    expect(story.secondUnit.atOnce).toEqual(story.first.map(bagOf));
  });

  test("a unit that leads since the middle of a build publishes its images, and the one that built does, too", () => {
    expect(story.secondUnit.atLast).toEqual(story.second.map(bagOf));
    expect(story.statuses.at(-1)).toMatch(/, standby for image-builder\/1$/);
  });

  test("the unit shows what a build is doing", () => {
    expect(story.statuses).toContainEqual(
      expect.stringMatching(/^maintenance building noble-x64: run cloud-init/),
    );
  });
});

describe("the published image", () => {
  test("holds everything it should and nothing it must not", () => {
    expect(story.checks.filter(({ problem }) => problem !== null)).toEqual([]);
    expect(story.checks.length).toBeGreaterThan(45);
  });

  // the builder's key is public, and no file of the image has it: see the checks
  test("has no secret and no password in any byte of its disk", () => {
    expect(story.search.found).toEqual([]);
    expect(story.search.diskBytes).toBeGreaterThan(5e9);
  });

  test("is small: what the build freed is not in it", () => {
    expect(story.search.imageBytes).toBeLessThan(1.2e9);
  });
});

describe("the site's proxy", () => {
  test.each([
    ["packages for the guest", /^GET http:\/\/deb\.debian\.org\/debian\/pool\/main\/j\/jq\/jq_\S+ 200$/],
    ["the runner for the guest", /^GET http:\/\/\S+\/actions-runner-linux-x64-\S+\.tar\.gz 200$/],
    // Node's fetch takes a tunnel, to the mirror of base images and of the runner's releases
    ["what the unit fetches", /^CONNECT 10\.77\.0\.1:8080 200$/],
  ])("lets through %s", (_what, line) => {
    expect(story.proxied).toContainEqual(expect.stringMatching(line));
  });

  test("is used with its password alone", () => {
    expect(story.proxied.filter((line) => line.endsWith(" 407"))).toEqual([]);
  });
});

describe("what is left", () => {
  test("in the build project: the base image and the security group alone", async () => {
    await withCloud("builder", async (cloud) => {
      const [servers, keyPairs, images, groups] = await Promise.all([
        listServers(cloud, {}, call),
        listKeyPairs(cloud, call),
        listImages(cloud, { owner: cloud.projectId }, call),
        listSecurityGroups(cloud, {}, call),
      ]);
      expect(servers).toEqual([]);
      expect(keyPairs).toEqual([]);
      expect(images.map(({ name }) => name)).toEqual(["image-builder-image-builder-base-noble-x64"]);
      expect(groups.map(({ name }) => name).filter((name) => name !== "default")).toHaveLength(1);
    });
  });

  test("on the unit: no secret of the script in any file or log", async () => {
    const found: string[] = [];
    for (const entry of await readdir(story.paths.state, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if ((await readFile(path, "utf8")).includes(story.secret)) found.push(path);
    }
    expect(found).toEqual([]);
    expect(story.jujuLog).not.toContain(story.secret);
    const log = await readFile(join(story.builds[0]?.build.folder ?? "", "build.log"), "utf8");
    expect(log).toContain("the script runs with the secret [redacted]");
  });

  test("nowhere else: no process, file, log, webhook, server or image shows a secret in any form", () => {
    expect(story.secrecy.found).toEqual([]);
    expect(story.secrecy.processes).toBeGreaterThan(100);
    expect(story.secrecy.files).toBeGreaterThan(10);
    expect(story.secrecy.servers).toBe(2);
    expect(story.secrecy.webhookBodies).toBeGreaterThan(0);
  });

  test("clouds.yaml is readable by its owner alone", async () => {
    expect((await stat(story.paths.cloudsFile)).mode & 0o777).toBe(0o600);
  });
});

describe("the builder process", () => {
  test("runs the bundle, which is what ships", () => {
    expect(story.builds).toHaveLength(2);
    for (const { command } of story.builds) expect(command.join(" ")).toContain("/dist/cli/main.mjs ");
  });

  test("holds less than 200 MB while it streams", () => {
    const peaks = story.builds.map(({ peakMemoryBytes }) => peakMemoryBytes);
    expect(Math.min(...peaks)).toBeGreaterThan(20e6);
    expect(Math.max(...peaks)).toBeLessThan(200e6);
  });
});
